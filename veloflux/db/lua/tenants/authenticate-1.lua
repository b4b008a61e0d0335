#!lua flags=allow-oom
-- Read an API key or token of which the caller has the secret, and count the call under the limit of it.
--
-- KEYS 1 API key or token
-- ARGV 1 digest of the secret  2 emission and 3 tolerance of the limit, µs
--
-- code OK    the fields and values of the key, µs that the limit is used up
-- code RATE  µs until the next call may come
-- code GONE  there is none, or it has another secret

-- include pace
local fields = redis.call('HGETALL', KEYS[1])
local digest, arrival, wait = nil, nil, nil
for at = 1, #fields, 2 do  -- as many as a key has
  if fields[at] == 'digest' then digest = fields[at + 1] end
  if fields[at] == 'pace' then arrival = fields[at + 1] end
end
if digest ~= ARGV[1] then return {'GONE'} end
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
arrival, wait = paced(arrival, micros, tonumber(ARGV[2]), tonumber(ARGV[3]))
if not arrival then return {'RATE', wait} end

redis.call('HSET', KEYS[1], 'pace', string.format('%.0f', arrival))
return {'OK', fields, arrival - micros}
