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
  local parent, child = KEYS[pair], KEYS[pair + 1]
  -- The spots in a parent differ from one another in no bit below the child's highest: this one tells where they belong.
  local bit, byte = 1, 4
  while bit * 2 <= buckets do bit = bit * 2 end  -- at most 32 times
  while bit >= 256 do bit, byte = bit / 256, byte - 1 end  -- at most 3 times
  local moved, left = {}, {}
  for _, identity in ipairs(redis.call('HKEYS', parent)) do  -- at most 128 entries
    local part = string.byte(identity, byte) % (2 * bit) >= bit and moved or left
    part[#part + 1] = identity
  end
  -- To copy all and delete on both sides is much less for the server than to carry fields and values through Lua.
  if #moved > 0 then
    redis.call('COPY', parent, child)
    redis.call('HDEL', parent, unpack(moved))
    if #left > 0 then redis.call('HDEL', child, unpack(left)) end
  end
  buckets = buckets + 1
end
state = string.format('%s:%s:%d', number, since, buckets) .. rest
redis.call('HSET', KEYS[1], 'seen', state)
return {'OK', state}
