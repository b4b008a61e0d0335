#!lua flags=allow-oom
-- Count a call that nobody signed for, under the limit of the address that it comes from.
--
-- KEYS 1 limit of the address
-- ARGV 1 emission and 2 tolerance of the limit, µs
--
-- code OK    µs that the limit is used up
-- code RATE  µs until the next call may come

-- include pace
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local arrival, wait = paced(redis.call('GET', KEYS[1]), micros, tonumber(ARGV[1]), tonumber(ARGV[2]))
if not arrival then return {'RATE', wait} end

redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - micros) / 1000))
return {'OK', arrival - micros}
