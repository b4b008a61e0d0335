#!lua
-- Split buckets of the present generation of seen events: each new one takes from its parent the entries whose spot says
-- so, and the parent's end of life. A parent may be new itself.
--
-- KEYS 1 limits  2.. for each new bucket, in their order, its parent and itself
-- ARGV 1 the seen state as the caller knows it
--
-- code OK       the seen state from now on
-- code ROLL     the seen state: the caller knows another one

local state = redis.call('HGET', KEYS[1], 'seen') or ''
local number, since, buckets, rest = string.match(state, '(%d+):(%d+):(%d+)(:.*)')
if state ~= ARGV[1] or not number then return {'ROLL', state} end
buckets = tonumber(buckets)
for pair = 2, #KEYS, 2 do  -- at most 16 pairs
  local entries, taken, left = redis.call('HGETALL', KEYS[pair]), {}, {}
  local span = 1
  while span <= buckets do span = span * 2 end  -- at most 32 times
  for e = 1, #entries, 2 do  -- at most 128 entries
    local a, b, c, d = string.byte(entries[e], 1, 4)
    if (((a * 256 + b) * 256 + c) * 256 + d) % span == buckets then
      taken[#taken + 1], taken[#taken + 2] = entries[e], entries[e + 1]
      left[#left + 1] = entries[e]
    end
  end
  if #left > 0 then
    redis.call('HSET', KEYS[pair + 1], unpack(taken))
    redis.call('PEXPIREAT', KEYS[pair + 1], redis.call('PEXPIRETIME', KEYS[pair]))
    redis.call('HDEL', KEYS[pair], unpack(left))
  end
  buckets = buckets + 1
end
state = string.format('%s:%s:%d', number, since, buckets) .. rest
redis.call('HSET', KEYS[1], 'seen', state)
return {'OK', state}
