#!lua flags=allow-oom
-- Days of which nothing is kept any more leave the index of days with usage.
--
-- KEYS 1 usage_days  2.. for each member the keys that are found by it
-- ARGV 1 how many keys each member has  2.. the members
--
-- code OK  how many left
local each, gone = tonumber(ARGV[1]), {}
for m = 2, #ARGV do  -- as many as the caller takes at a time
  local first = 2 + (m - 2) * each
  if redis.call('EXISTS', unpack(KEYS, first, first + each - 1)) == 0 then gone[#gone + 1] = ARGV[m] end
end
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return {'OK', #gone}
