#!lua flags=allow-oom
-- A claim on a name is given back, if it is still this claim.
--
-- KEYS 1 the name
-- ARGV 1 the claim as it stood
--
-- code OK     released
-- code GONE   another claim, or none
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'GONE'} end
redis.call('DEL', KEYS[1])
return {'OK'}
