#!lua flags=allow-oom
-- A duty that one worker at a time has is taken, kept, or given back.
--
-- KEYS 1 the lease
-- ARGV 1 the worker  2 for how many ms; 0 gives it back
--
-- code OK     this worker has it, or has given it back
-- code HELD   another worker has it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {'HELD'} end
if ARGV[2] == '0' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return {'OK'}
