#!lua flags=allow-oom
-- A claim on a name becomes final, if it is still this claim.
--
-- KEYS 1 the name
-- ARGV 1 the pending claim  2 the confirmed claim
--
-- code OK     confirmed, now or before
-- code GONE   another claim, or none
local claim = redis.call('GET', KEYS[1])
if claim == ARGV[2] then return {'OK'} end
if claim ~= ARGV[1] then return {'GONE'} end
redis.call('SET', KEYS[1], ARGV[2])
return {'OK'}
