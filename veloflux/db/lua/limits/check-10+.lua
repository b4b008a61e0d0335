#!lua
-- Decide questions of one API key about one meter, one after the other: the key, every rate limit and quota, and count,
-- each all or nothing. Nothing is written before the key is known to be valid; an id that is refused is not remembered.
-- A reservation is decided alike, and leased instead of counted.
--
-- KEYS 1 limits  2 API key (not looked at when ARGV 2 is "")  3 usage day  4 month total  5 usage_days  6 minutes
--      7 leases  8 credits  9 events  10 due  11.. counter of each quota, then the segments of
--      the meter if it is billed, then those that the questions name
-- ARGV 1 version of the policy  2 digest of the API key's secret  3 built-in roles that may check, each between blanks
--      4 start and 5 end of the time of the tenant's clock, epoch ms, for which these keys and quotas are the right ones
--      6 list of networks of the API key, as it is kept, that the caller found the client's address in, "[]" without one
--      7 the seen state as the caller knows it  8 buckets of a new generation if one is due, else ""  9 how long the plan
--      remembers, ms  10 the API key's own rate limits, as they are kept, "[]" without one  11 field of what is reserved
--      12 member of KEYS 5 for this day  13 meter of reservations  14 who asks, 15 whose events they are
--      16 questions (msgpack), seven lists with a place for each of them, of which the last four may be empty: cost;
--      number that tells the content of its id, below 0; numbers of its KEYS, 0 for none: seen bucket of this generation
--      if it has an id, of the one before, rate limits of its address; check, dry or reserve (without: check); of a
--      reservation {number of its KEY, lease in ms, member of KEYS 7}
--      17 for each question 8 bytes of the digest of its id
--      18 life of the rate limits of an address in ms
--      19 number of rate limits of the tenant, 20 of the key, 21 of the address, 22 of quotas
--      23 field of the open periods, 24 what it must say
--      25.. field of each rate limit, in that order; then algorithm, its two numbers (emission and tolerance, or count and
--      length of the window; µs) and "" or (in the shadow) its name; then limit, hard or soft or (in the shadow) its name,
--      the first amount at which there is something to say, the percentages, and how the event's data begin, of each quota;
--      then the start of the segment if the meter is billed
--
-- code PASSED   all new ones passed, in their order and with no limit near: 1 if an event was written; how many found
--               their bucket full enough to split one; in msgpack month total before, reserved before, `sum` and `paid`
--               of each quota before, of each rate limit what it had left before and in how many µs it would have been
--               whole, pairs of the number of a question that did not count and why: SEEN, CONFLICT or GROW, as below
-- code DECIDED  the same two; in msgpack month total before, reserved before,
--               `sum` and `paid` of each quota before, and of each question: OK, SEEN (this id was
--               counted before), RESERVED (it was reserved before), RATE or QUOTA (which refuses); which of those (from 1;
--               the rate limit with the longest wait); µs until that lets it pass; units that credits paid; the shadows
--               that would have refused, by number, quotas below 0; until when it is reserved, epoch ms; of each rate
--               limit what it had left and µs until it is whole. Or alone: CONFLICT (this id came before with other
--               content), OVER (it was reserved before, and that is over), GROW (the bucket would hold more than it may:
--               split some and ask again), RANGE (the month total would reach 10^18)
-- code TENANT     its status, or false: it is not active
-- code KEY        the API key is unknown, revoked, expired, or another one
-- code ADDRESS    the API key's list of networks: the caller knows another one
-- code OWN        the API key's own rate limits: the caller knows others
-- code ROLE       the API key's role may not check, or its own permissions do not include it
-- code STALE      policy, its version: the caller knows another one
-- code ROLL       real time in ms, the seen state: the caller took another time or state
-- code OPEN       what the field of the open periods says: the counters of these quotas must be opened

local KEPT_MS, LAPSED = 86400000, 1000
local USED_MS, MAX_COUNTER = 60000, 1e18
local QUOTA_KEYS, RATE_ARGS = 10, 24
-- include rates
-- include quota

local of_tenant, of_key, of_address = tonumber(ARGV[19]), tonumber(ARGV[20]), tonumber(ARGV[21])
local own_from, own_to = RATE_ARGS + of_tenant + 1, RATE_ARGS + of_tenant + of_key
local rates, quotas = of_tenant + of_key + of_address, tonumber(ARGV[22])
local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen', ARGV[11], ARGV[23],
  unpack(ARGV, RATE_ARGS + 1, RATE_ARGS + of_tenant))
if state[1] ~= 'active' then return {'TENANT', state[1]} end
-- include clock
-- include asker
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
if key and (key[8] or '[]') ~= ARGV[10] then return {'OWN', key[8] or '[]'} end
local known, fresh, seen_ms = ARGV[7], ARGV[8], tonumber(ARGV[9])
-- include seen
if seen_stale or now < tonumber(ARGV[4]) or now >= tonumber(ARGV[5]) then return {'ROLL', real, state[4] or ''} end
if (state[6] or '') ~= ARGV[24] then return {'OPEN', state[6] or ''} end

-- What all questions find and change; it is written once, after the last of them.
local counters, quota_args = QUOTA_KEYS, RATE_ARGS + 5 * rates
local limits, kinds, sums, paids, tolds, before = {}, {}, {}, {}, {}, {}
for q = 1, quotas do  -- as many as the policy has for the meter
  local counted = redis.call('HMGET', KEYS[counters + q], 'sum', 'paid', 'told')
  before[2 * q - 1], before[2 * q] = counted[1] or '0', counted[2] or '0'
  sums[q], paids[q], tolds[q] = tonumber(before[2 * q - 1]), tonumber(before[2 * q]), counted[3]
  limits[q], kinds[q] = tonumber(ARGV[quota_args + 5 * q - 4]), ARGV[quota_args + 5 * q - 3]
end
local total = redis.call('HGET', KEYS[4], 'sum') or '0'
local month, added, burned, acts, remembers, watches = tonumber(total), 0, 0, false, false, {}
local grants, credit
local addresses = {}
local costs, contents, buckets, formers, addresses_of, whats, leases = unpack(cmsgpack.unpack(ARGV[16]))

-- Leases that are over are given back here: a reservation whose holder crashed is in nobody's way.
local reserved, lapsed, freed = tonumber(state[5] or 0), nil, 0
if reserved > 0 then
  lapsed = redis.call('ZRANGEBYSCORE', KEYS[7], '-inf', string.format('%.0f', real), 'LIMIT', 0, LAPSED)
  for _, member in ipairs(lapsed) do freed = freed + string.match(member, '%d+$') end  -- at most LAPSED
  reserved = reserved - freed
end
local reserved_before = string.format('%.0f', reserved)

-- Each rate limit, with its present state; those of an address find theirs with it.
local limits_of = {}
for r = 1, rates do  -- as many as the policy and the key have
  local at, present = RATE_ARGS + rates + 4 * r - 3, nil
  if r <= of_tenant then present = state[6 + r] elseif r <= of_tenant + of_key then present = key[8 + r - of_tenant] end
  limits_of[r] = {ask = ARGV[at] == 'gcra' and gcra or ARGV[at] == 'window' and window or log,
    first = tonumber(ARGV[at + 1]), second = tonumber(ARGV[at + 2]), shadow = ARGV[at + 3],
    state = present, changed = false}
end

-- The digest of a question's id, what is remembered of it (SEEN, CONFLICT, GROW, or OK if it is new), and how many its
-- bucket holds.
local function recall(n)
  local bucket, former, id = KEYS[buckets[n]], KEYS[formers[n]], string.sub(ARGV[17], 8 * n - 7, 8 * n)
  if not bucket then return id, 'OK', 0 end
  local length = redis.call('HLEN', bucket)
  local seen = redis.call('HGET', bucket, id) or (former and redis.call('HGET', former, id))
  if not seen then return id, length >= BUCKET_MAX and 'GROW' or 'OK', length end
  seen = tonumber(seen)
  return id, seen ~= contents[n] and seen < 0 and 'CONFLICT' or 'SEEN', length
end

local function remember(n, id, length)
  local bucket = KEYS[buckets[n]]
  if not bucket then return end
  redis.call('HSET', bucket, id, contents[n])
  if length == 0 or longer then redis.call('PEXPIREAT', bucket, lives_until) end
  remembers = true
end

-- What each rate limit has left, unless one of the limits might refuse, or must be looked at closely, when so many units
-- are counted: what lets pass the sum of the questions lets pass each of them.
local function ask_for_all(units)
  if #whats > 0 or of_address > 0 or month + units >= MAX_COUNTER then return end
  for q = 1, quotas do  -- as many as the policy has for the meter
    if sums[q] - paids[q] + reserved + units > limits[q] then return end
  end
  local lefts = {}
  for r, limit in ipairs(limits_of) do  -- as many as the policy and the key have
    local wait, _, left, whole, cut = limit.ask(limit.state, micros, units, limit.first, limit.second)
    if wait > 0 or cut then return end
    lefts[2 * r - 1], lefts[2 * r] = left, whole
  end
  return lefts
end

local units = 0
for _, cost in ipairs(costs) do units = units + cost end  -- at most 32
local lefts, full, others, outcomes = ask_for_all(units), 0, {}, {}
if lefts then
  for n, cost in ipairs(costs) do  -- at most 32
    local id, code, length = recall(n)
    if code == 'OK' then
      remember(n, id, length)
      added = added + cost
      if length >= BUCKET_FULL then full = full + 1 end
    else others[#others + 1], others[#others + 2] = n, code
    end
  end
  acts = added > 0
  for _, limit in ipairs(acts and limits_of or {}) do  -- as many as the policy and the key have
    local _, after = limit.ask(limit.state, micros, added, limit.first, limit.second)
    limit.state, limit.changed = after, true
  end
else
  -- Each is decided by itself, and finds what those before it have left.
  local function at_address(number)
    local found = addresses[number]
    if not found then
      local kept = redis.call('HMGET', KEYS[number], unpack(ARGV, own_to + 1, RATE_ARGS + rates))
      found = {}
      for a = 1, of_address do found[of_tenant + of_key + a] = {state = kept[a]} end  -- as many as the policy has
      addresses[number] = found
    end
    return found
  end

  -- Which quota refuses `amount` (0: none), and what of it credits must pay.
  local function ask_quotas(amount, watched)
    local short, beyond, refused = 0, 0, 0
    for q = 1, quotas do  -- as many as the policy has for the meter
      local over = sums[q] - paids[q] + added - burned + amount - limits[q]
      if over + reserved > 0 and kinds[q] ~= 'hard' and kinds[q] ~= 'soft' then watched[#watched + 1] = -q
      elseif over + reserved > 0 then
        beyond = math.max(beyond, math.min(over, amount))
        if kinds[q] == 'hard' then short = math.max(short, over + reserved) end
      end
    end
    if short > 0 or beyond > 0 then
      if not grants then grants, credit = grants_of(KEYS[8], now) end
      for q = 1, quotas do  -- as many as the policy has for the meter
        local over = sums[q] - paids[q] + added - burned + amount - limits[q]
        if kinds[q] == 'hard' and over + reserved > credit then refused = q end
      end
    end
    return refused, beyond
  end

  -- The rate limit with the longest wait (0: all let it pass) and this wait; `passed` gets the states if it passes.
  local function ask_rates(amount, what, address, passed, watched, outcome)
    local refused, wait = 0, 0
    for r, limit in ipairs(limits_of) do  -- as many as the policy and the key have
      local of = r <= of_tenant + of_key and limit or address[r]
      local longer, next_state, left, whole, cut = limit.ask(of.state, micros, amount, limit.first, limit.second)
      if longer > 0 and limit.shadow ~= '' then
        watched[#watched + 1] = r
        next_state = cut or of.state or '0'
      elseif longer > wait then refused, wait = r, longer
      end
      if cut and what ~= 'dry' then of.state, of.changed = cut, true end
      passed[r] = next_state
      outcome[5 + 2 * r], outcome[6 + 2 * r] = left, whole
    end
    return refused, wait
  end

  local function decide(n)
    local what, amount = whats[n] or 'check', costs[n]
    local address = of_address > 0 and at_address(addresses_of[n])
    local reservation, lease_ms, member = unpack(leases[n] or {})
    local id, code, length = recall(n)
    if code == 'CONFLICT' or code == 'GROW' then return code end
    local held_until = 0
    if code == 'SEEN' then
      if what == 'reserve' then
        local leased = redis.call('HMGET', KEYS[reservation], 'status', 'until')
        if leased[1] ~= 'open' or tonumber(leased[2]) <= real then return 'OVER' end
        code, held_until = 'RESERVED', leased[2]
      end
      what, amount = 'dry', 0
    end
    if month + added + amount >= MAX_COUNTER then return 'RANGE' end

    local watched, passed, outcome, paid = {}, {}, {}, 0
    local quota, beyond = ask_quotas(amount, watched)
    local rate, wait = ask_rates(amount, what, address, passed, watched, outcome)
    local refused = 0
    if code == 'OK' and quota > 0 then code, refused = 'QUOTA', quota
    elseif code == 'OK' and rate > 0 then code, refused = 'RATE', rate
    end
    if what ~= 'dry' then
      acts = true
      for _, at in ipairs(watched) do watches[at] = (watches[at] or 0) + 1 end  -- at most as many as there are limits
    end
    if code == 'OK' and what ~= 'dry' then
      for r = 1, rates do  -- as many as the policy and the key have
        local of = r <= of_tenant + of_key and limits_of[r] or address[r]
        of.state, of.changed = passed[r], true
      end
      remember(n, id, length)
      if what == 'reserve' then
        held_until = string.format('%.0f', real + lease_ms)
        local units = string.format('%.0f', amount)
        reserved = reserved + amount
        redis.call('HINCRBY', KEYS[1], ARGV[11], units)
        redis.call('ZADD', KEYS[7], held_until, member)
        redis.call('HSET', KEYS[reservation], 'status', 'open', 'meter', ARGV[13], 'amount', units, 'until', held_until)
        redis.call('PEXPIRE', KEYS[reservation], lease_ms + KEPT_MS)
      else
        if beyond > 0 then paid = burn(KEYS[8], grants, beyond) end
        added, burned, credit = added + amount, burned + paid, credit and credit - paid
      end
    end
    outcome[1], outcome[2], outcome[3], outcome[4] = code, refused, wait, paid
    outcome[5], outcome[6] = table.concat(watched, ' '), held_until
    if length >= BUCKET_FULL then full = full + 1 end
    return outcome
  end

  for n = 1, #costs do outcomes[n] = decide(n) end  -- at most 32
end

if acts then
  if key and real - (key[7] or 0) >= USED_MS then
    redis.call('HSET', KEYS[2], 'used_at', string.format('%.0f', real))
  end
  if freed > 0 then
    redis.call('ZREM', KEYS[7], unpack(lapsed))
    redis.call('HINCRBY', KEYS[1], ARGV[11], string.format('%.0f', -freed))
  end
  for at, times in pairs(watches) do  -- as many as there are limits
    redis.call('HINCRBY', KEYS[1], 'watched:' .. (at > 0 and limits_of[at].shadow or kinds[-at]), times)
  end
end
local function write_states(place, of, first, last)
  local pairs_of, any = {}, false
  for r = first, last do  -- as many as the policy and the key have
    local text = of[r].changed and of[r].state
    if text then
      pairs_of[#pairs_of + 1] = ARGV[RATE_ARGS + r]
      pairs_of[#pairs_of + 1] = type(text) == 'number' and string.format('%.0f', text) or text
      any = true
    end
  end
  if any then redis.call('HSET', place, unpack(pairs_of)) end
  return any
end
write_states(KEYS[1], limits_of, 1, of_tenant)
write_states(KEYS[2], limits_of, of_tenant + 1, of_tenant + of_key)
for number, address in pairs(addresses) do  -- at most as many as there are questions
  if write_states(KEYS[number], address, of_tenant + of_key + 1, rates) then
    redis.call('PEXPIRE', KEYS[number], ARGV[18])
  end
end
if remembers and seen_next then redis.call('HSET', KEYS[1], 'seen', seen_next) end
local amount, raised = added, false
if amount > 0 then
  local usage_day, month_total, usage_days, minutes = KEYS[3], KEYS[4], KEYS[5], KEYS[6]
  local events, due_set, day_member, actor, owner = KEYS[9], KEYS[10], ARGV[12], ARGV[14], ARGV[15]
-- include count
end
-- Each table of an answer costs Redis about as much as a command: one text holds them all.
if lefts then
  return {'PASSED', raised and 1 or 0, full, cmsgpack.pack({total, reserved_before, before, lefts, others})}
end
return {'DECIDED', raised and 1 or 0, full, cmsgpack.pack({total, reserved_before, before, outcomes})}
