#!lua flags=allow-oom
-- Note that an API key is used, written at most once a minute.
--
-- KEYS 1 the API key
--
-- code NOTED   it was written
-- code RECENT  it was noted within the last minute
-- code GONE    no such key, or it is not active
local USED_MS = 60000

local key = redis.call('HMGET', KEYS[1], 'status', 'used_at')
if key[1] ~= 'active' then return {'GONE'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now - (key[2] or 0) < USED_MS then return {'RECENT'} end
redis.call('HSET', KEYS[1], 'used_at', string.format('%.0f', now))
return {'NOTED'}
