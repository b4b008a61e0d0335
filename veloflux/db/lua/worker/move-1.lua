#!lua flags=allow-oom
-- A lease is extended, or given back: its member becomes due in so many ms, if the lease is still held.
--
-- KEYS 1 a due set
-- ARGV 1 the member  2 end of the lease held  3 ms from now
--
-- code OK     when the member is due, in epoch ms
-- code GONE   another lease, or the member has left
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1) ~= tonumber(ARGV[2]) then return {'GONE'} end
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
redis.call('ZADD', KEYS[1], 'XX', due, ARGV[1])
return {'OK', due}
