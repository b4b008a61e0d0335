#!lua
-- Decide one request: API key, every rate limit and quota, and count, all or nothing. Nothing is written before the key is
-- known to be valid; an id that is refused is not remembered. A reservation is decided alike, and leased instead of counted.
--
-- KEYS 1 limits  2 API key (not looked at when ARGV 2 is "")  3 rate limits of the address  4 usage day  5 month total
--      6 usage_days  7 seen bucket of this generation  8 the one of the generation before  9 minutes  10 leases
--      11 reservation (KEYS 1 for a check)  12 credits  13 events  14 due  15.. counter of each quota
-- ARGV 1 version of the policy  2 digest of the API key's secret  3 built-in roles that may check, each between blanks
--      4 start and 5 end of the time of the tenant's clock, epoch ms, for which these keys and quotas are the right ones
--      6 list of networks of the API key, as it is kept, that the caller found the client's address in, "[]" without one
--      7 the seen state as the caller knows it  8 buckets of a new generation if one is due, else ""  9 how long the plan
--      remembers, ms  10 8 bytes of the digest of the id, "" without one  11 the number that tells its content, below 0
--      12 cost  13 the API key's own rate limits, as they are kept, "[]" without one  14 check, dry or reserve
--      15 field of what is reserved  16 member of KEYS 6 for this day  17 lease in ms  18 member of KEYS 10
--      19 meter of the reservation  20 who asks, 21 whose events they are  22 life of KEYS 3 in ms
--      23 number of rate limits of the tenant, 24 of the key, 25 of the address, 26 of quotas
--      27 field of the open periods, 28 what it must say
--      29.. field of each rate limit, in that order; then algorithm, its two numbers (emission and tolerance, or count and
--      length of the window; µs) and "" or (in the shadow) its name; then limit, hard or soft or (in the shadow) its name,
--      the first amount at which there is something to say, the percentages, and how the event's data begin, of each quota
--
-- code DECIDED  OK, SEEN (this id was counted before), RESERVED (it was reserved before), RATE or QUOTA (which refuses); which
--              of those (from 1; the rate limit with the longest wait); µs until that lets it pass; month total before;
--              reserved; units that credits paid; the shadows that would have refused, by number, quotas below 0; 1 if
--              an event was written; until when it is reserved, epoch ms; 1 if the bucket is full enough to split one;
--              of each rate limit what it had left and µs until it is whole; of each quota `sum` and `paid` before
-- code TENANT     its status, or false: it is not active
-- code KEY        the API key is unknown, revoked, expired, or another one
-- code ADDRESS    the API key's list of networks: the caller knows another one
-- code OWN        the API key's own rate limits: the caller knows others
-- code ROLE       the API key's role may not check, or its own permissions do not include it
-- code STALE      policy, its version: the caller knows another one
-- code ROLL       real time in ms, the seen state: the caller took another time or state
-- code GROW       the bucket would hold more than it may: split some and ask again
-- code OPEN       what the field of the open periods says: the counters of these quotas must be opened
-- code CONFLICT   this id came before with other content
-- code OVER       this id was reserved before, and the reservation is over
-- code RANGE      the month total would reach 10^18

local KEPT_MS, LAPSED = 86400000, 1000
local USED_MS, MAX_COUNTER = 60000, 1e18
-- include rates
-- include quota

local of_tenant, of_key, of_address = tonumber(ARGV[23]), tonumber(ARGV[24]), tonumber(ARGV[25])
local rates, quotas = of_tenant + of_key + of_address, tonumber(ARGV[26])
local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen', ARGV[15], ARGV[27],
  unpack(ARGV, 29, 28 + of_tenant))
if state[1] ~= 'active' then return {'TENANT', state[1]} end
-- include clock
local own_from, own_to = 29 + of_tenant, 28 + of_tenant + of_key
-- include asker
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
if key and (key[8] or '[]') ~= ARGV[13] then return {'OWN', key[8] or '[]'} end
local known, fresh, seen_ms = ARGV[7], ARGV[8], tonumber(ARGV[9])
-- include seen
if seen_stale or now < tonumber(ARGV[4]) or now >= tonumber(ARGV[5]) then return {'ROLL', real, state[4] or ''} end
if (state[6] or '') ~= ARGV[28] then return {'OPEN', state[6] or ''} end

local what, amount = ARGV[14], tonumber(ARGV[12])
local code = 'OK'
local id, length = ARGV[10], 0
if id ~= '' then
  local content = redis.call('HGET', KEYS[7], id) or (before and redis.call('HGET', KEYS[8], id))
  if content and content ~= ARGV[11] and tonumber(content) < 0 then return {'CONFLICT'} end
  if content then code = 'SEEN' end
  length = redis.call('HLEN', KEYS[7])
  if not content and length >= BUCKET_MAX then return {'GROW'} end
end
local leased
if code == 'SEEN' then
  if what == 'reserve' then
    leased = redis.call('HMGET', KEYS[11], 'status', 'until')
    if leased[1] ~= 'open' then return {'OVER'} end
    code = 'RESERVED'
  end
  what, amount = 'dry', 0
end

local counters, quota_args = 14, 28 + 5 * rates
local sums, paids, tolds = {}, {}, {}
for q = 1, quotas do  -- as many as the policy has for the meter
  local counted = redis.call('HMGET', KEYS[14 + q], 'sum', 'paid', 'told')
  sums[q], paids[q], tolds[q] = tonumber(counted[1] or 0), tonumber(counted[2] or 0), counted[3]
end
local total = redis.call('HGET', KEYS[5], 'sum') or '0'
if tonumber(total) + amount >= MAX_COUNTER then return {'RANGE'} end

-- Leases that are over are given back here: a reservation whose holder crashed is in nobody's way.
local reserved, lapsed, freed = tonumber(state[5] or 0), nil, 0
if reserved > 0 then
  lapsed = redis.call('ZRANGEBYSCORE', KEYS[10], '-inf', string.format('%.0f', real), 'LIMIT', 0, LAPSED)
  for _, member in ipairs(lapsed) do freed = freed + string.match(member, '%d+$') end  -- at most LAPSED
  reserved = reserved - freed
end

local refused, wait, watched = 0, 0, {}
-- What hard quotas lack with all that is reserved, and what of this must be paid from credits.
local short, beyond = 0, 0
for q = 1, quotas do  -- as many as the policy has for the meter
  local limit, kind = tonumber(ARGV[quota_args + 5 * q - 4]), ARGV[quota_args + 5 * q - 3]
  local over = sums[q] - paids[q] + amount - limit
  if over + reserved > 0 and kind ~= 'hard' and kind ~= 'soft' then watched[#watched + 1] = -q
  elseif over + reserved > 0 then
    beyond = math.max(beyond, math.min(over, amount))
    if kind == 'hard' then short = math.max(short, over + reserved) end
  end
end
local grants, credit
if short > 0 or beyond > 0 then
  grants, credit = grants_of(KEYS[12], now)
  if code == 'OK' and short > credit then
    code = 'QUOTA'
    for q = 1, quotas do  -- as many as the policy has for the meter
      local limit, kind = tonumber(ARGV[quota_args + 5 * q - 4]), ARGV[quota_args + 5 * q - 3]
      if kind == 'hard' and sums[q] - paids[q] + reserved + amount - limit > credit then refused = q end
    end
  end
end

-- Filled in the order of the limits, so that those of one key are together.
local answer, passing, cuts = {}, {}, {}
local numbers = 29 + rates
local address = of_address > 0
  and redis.call('HMGET', KEYS[3], unpack(ARGV, 29 + of_tenant + of_key, 28 + rates))
for r = 1, rates do  -- as many as the policy and the key have
  local kept
  if r <= of_tenant then kept = state[6 + r]
  elseif r <= of_tenant + of_key then kept = key[8 + r - of_tenant]
  else kept = address[r - of_tenant - of_key] end
  local algorithm = ARGV[numbers]
  local rate = algorithm == 'gcra' and gcra or algorithm == 'window' and window or log
  local longer, passed, left, whole, cut =
    rate(kept, micros, amount, tonumber(ARGV[numbers + 1]), tonumber(ARGV[numbers + 2]))
  if longer > 0 and ARGV[numbers + 3] ~= '' then
    watched[#watched + 1] = r
    passed = cut or kept or '0'
  elseif longer > wait then
    wait = longer
    if code == 'OK' or code == 'RATE' then code, refused = 'RATE', r end
  end
  if cut then cuts[r] = cut end
  passing[2 * r - 1], passing[2 * r] = ARGV[28 + r], passed
  answer[2 * r - 1], answer[2 * r] = left, whole
  numbers = numbers + 4
end

for q = 1, quotas do  -- as many as the policy has for the meter
  answer[2 * (rates + q) - 1] = string.format('%.0f', sums[q])
  answer[2 * (rates + q)] = string.format('%.0f', paids[q])
end

local burned, raised, held_until = 0, false, leased and leased[2] or 0
if what ~= 'dry' then
  if key and real - (key[7] or 0) >= USED_MS then
    redis.call('HSET', KEYS[2], 'used_at', string.format('%.0f', real))
  end
  if freed > 0 then
    redis.call('ZREM', KEYS[10], unpack(lapsed))
    redis.call('HINCRBY', KEYS[1], ARGV[15], string.format('%.0f', -freed))
  end
  for _, at in ipairs(watched) do  -- as many as there are limits
    local name = at > 0 and ARGV[28 + rates + 4 * at] or ARGV[quota_args - 5 * at - 3]
    redis.call('HINCRBY', KEYS[1], 'watched:' .. name, 1)
  end
  for r, cut in pairs(cuts) do  -- as many as there are limits
    local place = r <= of_tenant and KEYS[1] or r <= of_tenant + of_key and KEYS[2] or KEYS[3]
    redis.call('HSET', place, ARGV[28 + r], cut)
  end
end
if code == 'OK' and what ~= 'dry' then
  if of_tenant > 0 then redis.call('HSET', KEYS[1], unpack(passing, 1, 2 * of_tenant)) end
  if of_key > 0 then redis.call('HSET', KEYS[2], unpack(passing, 2 * of_tenant + 1, 2 * (of_tenant + of_key))) end
  if of_address > 0 then
    redis.call('HSET', KEYS[3], unpack(passing, 2 * (of_tenant + of_key) + 1, 2 * rates))
    redis.call('PEXPIRE', KEYS[3], ARGV[22])
  end
  if id ~= '' then
    redis.call('HSET', KEYS[7], id, ARGV[11])
    if length == 0 or longer then redis.call('PEXPIREAT', KEYS[7], lives_until) end
    if seen_next then redis.call('HSET', KEYS[1], 'seen', seen_next) end
  end
  if what == 'reserve' then
    held_until = string.format('%.0f', real + ARGV[17])
    redis.call('HINCRBY', KEYS[1], ARGV[15], ARGV[12])
    redis.call('ZADD', KEYS[10], held_until, ARGV[18])
    redis.call('HSET', KEYS[11], 'status', 'open', 'meter', ARGV[19], 'amount', ARGV[12], 'until', held_until)
    redis.call('PEXPIRE', KEYS[11], ARGV[17] + KEPT_MS)
  else
    if beyond > 0 then burned = burn(KEYS[12], grants, beyond) end
    local usage_day, month_total, usage_days, minutes = KEYS[4], KEYS[5], KEYS[6], KEYS[9]
    local events, due_set, day_member, actor, owner = KEYS[13], KEYS[14], ARGV[16], ARGV[20], ARGV[21]
-- include count
  end
end
return {'DECIDED', code, refused, wait, total, string.format('%.0f', reserved), burned, table.concat(watched, ' '),
  raised and 1 or 0, held_until, length >= BUCKET_FULL and 1 or 0, unpack(answer)}
