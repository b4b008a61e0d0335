#!lua
-- Keep events as they came, for people to look at: the newest of a tenant, for some hours.
--
-- KEYS 1 limits  2 raw
-- ARGV 1 how many are kept  2 for how long, ms  3.. the events, at most 100
--
-- code OK    they are kept
-- code GONE  the tenant is not active: nothing is kept of it any more

if redis.call('HGET', KEYS[1], 'status') ~= 'active' then return {'GONE'} end
local time = redis.call('TIME')
local real = time[1] * 1000 + math.floor(time[2] / 1000)
for at = 3, #ARGV do  -- at most 100
  redis.call('XADD', KEYS[2], '*', 'event', ARGV[at])
end
redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f', real - ARGV[2]))
redis.call('XTRIM', KEYS[2], 'MAXLEN', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return {'OK'}
