#!lua flags=allow-oom
-- Decide about a claim that stays pending, in the slot of the owner that it is for: either the owner's document carries
-- the name, or the claim is fenced, so that its commit can never succeed.
--
-- KEYS 1 the owner's document  2 the claim's fence
-- ARGV 1 field of the document  2 the name
--
-- code CARRIED   the document carries the name
-- code FENCED    it does not, and now never will under this claim
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return {'CARRIED'} end
redis.call('SET', KEYS[2], '1', 'PX', 86400000)
return {'FENCED'}
