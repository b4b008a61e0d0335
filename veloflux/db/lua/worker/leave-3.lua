#!lua flags=allow-oom
-- An owner all of whose events are handled leaves the due set. An event committed meanwhile stays seen: the commit
-- found the owner in the set, and here its stream is longer than the cursor.
--
-- KEYS 1 the due set  2 the owner's events  3 its outbox
-- ARGV 1 the owner  2 end of the lease held
--
-- code OK     left
-- code MORE   there are events after the cursor: the lease is kept
-- code GONE   another lease, or the owner has left
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1) ~= tonumber(ARGV[2]) then return {'GONE'} end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last and last[1] ~= redis.call('HGET', KEYS[3], 'cursor') then return {'MORE'} end
redis.call('ZREM', KEYS[1], ARGV[1])
return {'OK'}
