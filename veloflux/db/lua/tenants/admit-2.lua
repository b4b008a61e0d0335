#!lua
-- Admit one request with a publishable key, which anybody may have read in a page: limited by the address that it comes
-- from. Also notes that the key is used, at most once a minute.
--
-- KEYS 1 API key  2 limit of the key and the address
-- ARGV 1 emission and 2 tolerance of the limit, µs
--
-- code OK    the fields and values of the key
-- code RATE  µs until the next request
-- code GONE  no such key, or it is not active
local USED_MS = 60000

local fields = redis.call('HGETALL', KEYS[1])
local key = {}
for at = 1, #fields, 2 do key[fields[at]] = fields[at + 1] end  -- as many as a key has
if key.status ~= 'active' then return {'GONE'} end
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local emission, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = math.max(tonumber(redis.call('GET', KEYS[2]) or 0), micros) + emission
if arrival > micros + tolerance then return {'RATE', arrival - tolerance - micros} end

redis.call('SET', KEYS[2], string.format('%.0f', arrival), 'PX', math.ceil((arrival - micros) / 1000))
local now = math.floor(micros / 1000)
if now - (key.used_at or 0) >= USED_MS then redis.call('HSET', KEYS[1], 'used_at', string.format('%.0f', now)) end
return {'OK', fields}
