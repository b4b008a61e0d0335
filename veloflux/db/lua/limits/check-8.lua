#!lua
-- Decide one request: API key, rate limits, quota and count, all or nothing. Nothing is written before the key is known
-- to be valid; an id that is refused is not remembered.
--
-- KEYS 1 limits  2 API key (not looked at when ARGV 2 is "")  3 address limit  4 usage day  5 month total
--      6 usage_days  7 seen bucket of this generation  8 the one of the generation before
-- ARGV 1 version of the policy  2 digest of the API key's secret  3 built-in roles that may check, each between blanks
--      4 day number since 1970  5 start and 6 end of the month, epoch ms  7 the seen state as the caller knows it
--      8 buckets of a new generation if one is due, else ""  9 how long the plan remembers, ms  10 8 bytes of the digest of
--      the id, "" without one  11 the negative number that tells the content  12 cost  13 quota, "" without one
--      14 member of KEYS 6 for this day  15 number of rate limits of the tenant, 16 of the key, 17 of the address (0 or 1)
--      18.. field of each rate limit, in that order; then emission and tolerance of each, in µs; then the list of networks
--      of the API key, as it is kept, that the caller found the client's address in, "[]" without one
--
-- code OK         month total before, whether the id's bucket is full enough to split one (1 or 0): counted
-- code SEEN       month total: this id was counted before
-- code RATE       month total, which rate limit refused (from 1; the one with the longest wait), µs until it lets it pass
-- code QUOTA      month total
-- code TENANT     its status, or false: it is not active
-- code KEY        the API key is unknown, revoked, expired, or another one
-- code ADDRESS    the API key's list of networks: the caller knows another one
-- code ROLE       the API key's role may not check, or its own permissions do not include it
-- code STALE      policy, its version: the caller knows another one
-- code ROLL       real time in ms, the seen state: the caller took another day, month or seen state
-- code GROW       the id's bucket holds as much as it may: split some and ask again
-- code CONFLICT   this id was checked before with other content
-- code RANGE      the month total would reach 10^18

local USAGE_MS, TOTAL_MS = 7776000000, 34560000000
local DAY_MS, QUARTER_MS, USED_MS, MAX_COUNTER = 86400000, 900000, 60000, 1e18

local of_tenant, of_key, of_address = tonumber(ARGV[15]), tonumber(ARGV[16]), tonumber(ARGV[17])
local rates = of_tenant + of_key + of_address
local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen',
  unpack(ARGV, 18, 17 + of_tenant))
if state[1] ~= 'active' then return {'TENANT', state[1]} end
-- include clock

local key
if ARGV[2] ~= '' then
  key = redis.call('HMGET', KEYS[2], 'status', 'digest', 'role', 'expires_at', 'addresses', 'permissions', 'used_at',
    unpack(ARGV, 18 + of_tenant, 17 + of_tenant + of_key))
  -- Keys expire by the real clock: one that stands still keeps no secret alive.
  if key[1] ~= 'active' or key[2] ~= ARGV[2] or (key[4] and tonumber(key[4]) <= real) then return {'KEY'} end
  if (key[5] or '[]') ~= ARGV[18 + 3 * rates] then return {'ADDRESS', key[5] or '[]'} end
  local role = key[3] or ''
  local may = string.find(ARGV[3], ' ' .. role .. ' ', 1, true)
    or string.find(redis.call('HGET', KEYS[1], 'role:' .. role) or '', '"usage:write"', 1, true)
  if not may or (key[6] and not string.find(key[6], '"usage:write"', 1, true)) then return {'ROLE'} end
end
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
local known, fresh, seen_ms = ARGV[7], ARGV[8], tonumber(ARGV[9])
-- include seen
if seen_stale or math.floor(now / DAY_MS) ~= tonumber(ARGV[4]) or now < tonumber(ARGV[5]) or now >= tonumber(ARGV[6]) then
  return {'ROLL', real, state[4] or ''}
end

if key and real - (key[7] or 0) >= USED_MS then redis.call('HSET', KEYS[2], 'used_at', string.format('%.0f', real)) end

local total = redis.call('HGET', KEYS[5], 'sum') or '0'
local id, length = ARGV[10], 0
if id ~= '' then
  local content = redis.call('HGET', KEYS[7], id) or (before and redis.call('HGET', KEYS[8], id))
  if content and content ~= ARGV[11] and tonumber(content) < 0 then return {'CONFLICT'} end
  if content then return {'SEEN', total} end
  length = redis.call('HLEN', KEYS[7])
  if length >= BUCKET_MAX then return {'GROW'} end
end

local cost = tonumber(ARGV[12])
if tonumber(total) + cost >= MAX_COUNTER then return {'RANGE'} end
if ARGV[13] ~= '' and tonumber(total) + cost > tonumber(ARGV[13]) then return {'QUOTA', total} end

-- GCRA: `arrival` is the time at which a limit would be whole again. It is never further away than the tolerance, except
-- where the clock was set back or the plan changed: then it is cut, and stays cut, so that it nears as time passes.
local arrivals, refused, longest = {}, 0, 0
local numbers = 18 + rates
for r = 1, rates do  -- as many as the policy has
  local emission, tolerance = tonumber(ARGV[numbers]), tonumber(ARGV[numbers + 1])
  local arrival
  if r <= of_tenant then arrival = state[4 + r]
  elseif r <= of_tenant + of_key then arrival = key[7 + r - of_tenant]
  else arrival = redis.call('GET', KEYS[3]) end
  arrival = math.max(tonumber(arrival or 0), micros)
  if arrival > micros + tolerance then
    arrival = micros + tolerance
    local cut = string.format('%.0f', arrival)
    if r <= of_tenant then redis.call('HSET', KEYS[1], ARGV[17 + r], cut)
    elseif r <= of_tenant + of_key then redis.call('HSET', KEYS[2], ARGV[17 + r], cut)
    else redis.call('SET', KEYS[3], cut, 'PX', DAY_MS) end
  end
  local wait = arrival + emission * cost - tolerance - micros
  if wait > 0 then
    -- More than the burst at once never passes; then the wait is until the limit is whole.
    wait = math.min(wait, math.max(arrival - micros, emission))
    if wait > longest then refused, longest = r, wait end
  end
  arrivals[2 * r - 1], arrivals[2 * r] = ARGV[17 + r], string.format('%.0f', arrival + emission * cost)
  numbers = numbers + 2
end
if refused > 0 then return {'RATE', total, refused, longest} end

if of_tenant > 0 then redis.call('HSET', KEYS[1], unpack(arrivals, 1, 2 * of_tenant)) end
if of_key > 0 then redis.call('HSET', KEYS[2], unpack(arrivals, 2 * of_tenant + 1, 2 * (of_tenant + of_key))) end
if of_address > 0 then
  -- The key's life runs by the real clock, so a tenant with a clock of its own keeps it for a day.
  local life = clock == '' and math.ceil((arrivals[2 * rates] - micros) / 1000) or DAY_MS
  redis.call('SET', KEYS[3], arrivals[2 * rates], 'PX', life)
end
if id ~= '' then
  redis.call('HSET', KEYS[7], id, ARGV[11])
  if length == 0 or longer then redis.call('PEXPIREAT', KEYS[7], lives_until) end
  if seen_next then redis.call('HSET', KEYS[1], 'seen', seen_next) end
end
local quarter = math.floor(now % DAY_MS / QUARTER_MS)
if redis.call('HINCRBY', KEYS[4], quarter, ARGV[12]) == cost then
  redis.call('PEXPIRE', KEYS[4], USAGE_MS, 'NX')
  redis.call('ZADD', KEYS[6], ARGV[4], ARGV[14])
end
if redis.call('HINCRBY', KEYS[5], 'sum', ARGV[12]) == cost then redis.call('PEXPIRE', KEYS[5], TOTAL_MS, 'NX') end
return {'OK', total, length >= BUCKET_FULL and 1 or 0}
