#!lua flags=allow-oom
-- What is due gets a lease: its score becomes the lease's end, which also names the lease. No two claims of a member
-- end at the same time, since it can be claimed again only after the end.
--
-- KEYS 1 a due set
-- ARGV 1 length of the lease in ms  2 how many members at most
--
-- code OK     end of the leases in epoch ms, the members claimed, 1 if more are due
local members_max = math.min(tonumber(ARGV[2]), 1000)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = now + tonumber(ARGV[1])
local members = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, members_max + 1)
local more = #members > members_max
if more then members[#members] = nil end
for _, member in ipairs(members) do redis.call('ZADD', KEYS[1], 'XX', lease, member) end  -- at most members_max
return {'OK', lease, members, more and 1 or 0}
