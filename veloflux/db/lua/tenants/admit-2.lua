#!lua
-- Admit one call with a publishable key, which anybody may have read in a page: limited by the address that it comes from.
-- Also notes that the key is used, at most once a minute.
--
-- KEYS 1 API key  2 limit of the key and the address
-- ARGV 1 emission and 2 tolerance of the limit, µs
--
-- code OK    the fields and values of the key, µs that the limit is used up
-- code RATE  µs until the next call may come
-- code GONE  no such key, or it is not active
local USED_MS = 60000

-- include pace
local fields = redis.call('HGETALL', KEYS[1])
local key = {}
for at = 1, #fields, 2 do key[fields[at]] = fields[at + 1] end  -- as many as a key has
if key.status ~= 'active' then return {'GONE'} end
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local arrival, wait = paced(redis.call('GET', KEYS[2]), micros, tonumber(ARGV[1]), tonumber(ARGV[2]))
if not arrival then return {'RATE', wait} end

redis.call('SET', KEYS[2], string.format('%.0f', arrival), 'PX', math.ceil((arrival - micros) / 1000))
local now = math.floor(micros / 1000)
if now - (key.used_at or 0) >= USED_MS then redis.call('HSET', KEYS[1], 'used_at', string.format('%.0f', now)) end
return {'OK', fields, arrival - micros}
