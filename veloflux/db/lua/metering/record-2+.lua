#!lua
-- Count events, each once: what is remembered as seen, what each meter aggregates of them, by time and group, and what of
-- quotas' present periods they use: beyond a limit credits pay, and each threshold is told once, as by a check.
-- Everything that can refuse is read before the first write.
--
-- KEYS 1 limits  2 usage_days  3.. the events' seen buckets of this generation, then those of the generation before, then
--      those of the counters
-- ARGV 1 version of the policy  2 the seen state as the caller knows it  3 buckets of a new generation if one is due, else
--      ""  4 how long the plan remembers, ms  5 oldest and 6 latest time among the events, epoch ms  7 oldest age accepted
--      in ms, "" for a backfill  8 start and 9 end of the time of the tenant's clock, epoch ms, for which these quotas are the
--      right ones  10 the program, MessagePack: {
--          buckets  = for each event the index in KEYS of its bucket of this generation
--          earlier  = the same of the generation before; empty if there is none
--          contents = for each event the number that tells its content
--          shapes   = lists of counters
--          shape_of = for each event the list of the counters to which it adds
--          amounts  = what each event adds to each of them, one event after the other
--          base     = number of KEYS before those of the counters, which are numbered from 1 after it
--          closed   = end of what is invoiced, epoch ms, as the caller knows it; "0" without one
--          counters = {bound of what is added, its day, then pairs: hash and field of it, from 1}; of `unique` then sets
--          kinds    = counter -> min, max, latest (of texts `at|amount|hex of id.hex of source`), unique (numbers of
--                     members), high (billions); the others are added
--          of_group = counter -> its group, if it has one
--          others   = the same counter -> the one that takes its place when the meter has its most groups
--          groups   = {key of the meter's groups, id, values}
--          members  = for each value of `unique` its digest, as two numbers
--          hashes   = {key, life in ms (0 no end), fields}
--          sets     = {key of the set, key of its HyperLogLog, life in ms}
--          days     = {member of KEYS 2, day number since 1970}
--          opens    = of each meter that may have quotas the field of its open periods
--          wanted   = what each of those must say
--          quotas   = {key of its counter, key of credits, limit, hard or soft or (in the shadow) its name, the first
--                     amount at which there is something to say, the percentages, how the event's data begin}
--          shares   = lists of quotas whose present periods an amount lies in, in the order in which they are counted
--          share_of = counter -> its share, if it has one
--          telling  = key of the events, key of the due set, who records, whose events they are; empty without a quota
--        }
--      11 for each event, in the same order: 8 bytes of the digest of its identity
--
-- code OK       number counted, positions (from 1) of those seen before, of those seen before with other content, number
--               of buckets that are full enough to split one for each, 1 if an event was written
-- code TENANT   its status, or false: it is not active
-- code STALE    policy, its version: the caller knows another one
-- code ROLL     real time in ms, the seen state: the caller took another one, or time, or a time among the events is not accepted
-- code CLOSED   end of what is invoiced, epoch ms: the caller knows another one
-- code OPEN     of each of `opens` what it says: counters of quotas must be opened
-- code GROW     a bucket would hold more than it may: split some and ask again
-- code RANGE    a counter would leave +-10^18

local AHEAD_MS, MAX_COUNTER, BILLION = 300000, 1e18, 1e9
local GROUPS_MAX, EXACT_MAX = 1000, 1000
-- include quota

-- The later of two texts of `latest`. Ties break by id, then source: in hex, which every collation sorts alike.
local function later(a, b)
  local at_a, id_a, source_a = string.match(a, '^(%d+)|.*|(%x*)%.(%x*)$')
  local at_b, id_b, source_b = string.match(b, '^(%d+)|.*|(%x*)%.(%x*)$')
  if at_a ~= at_b then return tonumber(at_a) > tonumber(at_b) and a or b end
  if id_a ~= id_b then return id_a > id_b and a or b end
  return source_a > source_b and a or b
end

local function merged(kind, a, b)
  if a == nil then return b end
  if kind == 'min' then return math.min(a, b) end
  if kind == 'max' then return math.max(a, b) end
  if kind == 'latest' then return later(a, b) end
  return a + b
end

local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen')
if state[1] ~= 'active' then return {'TENANT', state[1]} end
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
-- include clock
local known, fresh, seen_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- include seen
if seen_stale or tonumber(ARGV[5]) < now - (tonumber(ARGV[7]) or math.huge) or tonumber(ARGV[6]) > now + AHEAD_MS
  or now < tonumber(ARGV[8]) or now >= tonumber(ARGV[9]) then
  return {'ROLL', real, state[4] or ''}
end

local program, marks = cmsgpack.unpack(ARGV[10]), ARGV[11]
local base, hashes, sets, groups_of = program.base, program.hashes, program.sets, program.of_group
local counters, kinds = program.counters, program.kinds
local quotas, shares, share_of = program.quotas, program.shares, program.share_of
local stands = redis.call('HMGET', KEYS[1], 'closed_through', unpack(program.opens))
local closed = table.remove(stands, 1) or '0'
if closed ~= program.closed then return {'CLOSED', closed} end
for o, wanted in ipairs(program.wanted) do  -- at most the meters of a catalogue
  stands[o] = stands[o] or ''
  if stands[o] ~= wanted then
    for rest in ipairs(program.wanted) do stands[rest] = stands[rest] or '' end
    return {'OPEN', unpack(stands)}
  end
end

-- `counters`, `hashes`, `sets` and `groups` are as many as the caller's bound of keys and fields for a call allows.
local bounds, values = {}, {}
for h in ipairs(hashes) do bounds[h] = {} end
for c, counter in ipairs(counters) do
  local kind = kinds[c]
  local bound = kind == 'high' and counter[1] * BILLION or counter[1]
  if not kind or kind == 'high' then
    for i = 3, #counter, 2 do
      local of_hash = bounds[counter[i]]
      of_hash[counter[i + 1]] = (of_hash[counter[i + 1]] or 0) + bound
    end
  end
end
for h, hash in ipairs(hashes) do
  local name = KEYS[base + hash[1]]
  values[h] = redis.call('HMGET', name, unpack(hash[3]))
  for f, bound in pairs(bounds[h]) do
    if math.abs(tonumber(values[h][f] or 0)) + bound >= MAX_COUNTER then return {'RANGE'} end
  end
end
-- `quotas` are at most those of the policy, `shares` at most the ways in which their periods overlap.
local periods = {}
for q, quota in ipairs(quotas) do
  local counted = redis.call('HMGET', KEYS[base + quota[1]], 'sum', 'paid', 'told')
  periods[q] = {sum = tonumber(counted[1] or 0), paid = tonumber(counted[2] or 0), told = counted[3], added = 0, burned = 0,
    bound = 0}
end
for c, share in pairs(share_of) do
  for _, q in ipairs(shares[share]) do periods[q].bound = periods[q].bound + counters[c][1] end
end
for _, period in ipairs(periods) do
  if math.abs(period.sum) + period.bound >= MAX_COUNTER then return {'RANGE'} end
end
local named, numbers = {}, {}
for g, group in ipairs(program.groups) do
  local name = KEYS[base + group[1]]
  named[g] = redis.call('HEXISTS', name, group[2]) == 1
  numbers[name] = numbers[name] or redis.call('HLEN', name)
end

local buckets_of, earlier_of = program.buckets, program.earlier
local lengths, coming = {}, {}
for _, b in ipairs(buckets_of) do  -- at most 500, as the events
  lengths[b], coming[b] = lengths[b] or redis.call('HLEN', KEYS[b]), (coming[b] or 0) + 1
end
local added, new = {}, {}
for e, b in ipairs(buckets_of) do  -- at most 500
  if lengths[b] + coming[b] > BUCKET_MAX then  -- count those that are new
    local identity, earlier = string.sub(marks, e * 8 - 7, e * 8), KEYS[earlier_of[e]]
    if not added[identity] and redis.call('HEXISTS', KEYS[b], identity) == 0
      and not (earlier and redis.call('HEXISTS', earlier, identity) == 1) then
      added[identity], new[b] = true, (new[b] or 0) + 1
      if lengths[b] + new[b] > BUCKET_MAX then return {'GROW'} end
    end
  end
end

-- From here on nothing can fail.
local sums, plain = {}, next(kinds) == nil and next(groups_of) == nil
local function count(c, amount)
  local g = groups_of[c]
  if g and not named[g] then
    local group = program.groups[g]
    local name = KEYS[base + group[1]]
    if numbers[name] < GROUPS_MAX then
      redis.call('HSET', name, group[2], group[3])
      numbers[name], named[g] = numbers[name] + 1, true
    else
      c = program.others[c]
    end
  end
  if kinds[c] ~= 'unique' then
    sums[c] = merged(kinds[c], sums[c], amount)
  else
    sums[c] = sums[c] or {}
    table.insert(sums[c], amount)
  end
end

if seen_next and #buckets_of > 0 then redis.call('HSET', KEYS[1], 'seen', seen_next) end
local contents, shapes, shape_of, amounts = program.contents, program.shapes, program.shape_of, program.amounts
local recorded, duplicates, conflicts, before_these = 0, {}, {}, 0
local grown = {}
for e, b in ipairs(buckets_of) do  -- at most 500, as the events
  local identity, earlier, shape = string.sub(marks, e * 8 - 7, e * 8), KEYS[earlier_of[e]], shapes[shape_of[e]]
  local content = earlier and redis.call('HGET', earlier, identity)
  if not content and redis.call('HSETNX', KEYS[b], identity, contents[e]) == 1 then
    for i, c in ipairs(shape) do
      local amount = amounts[before_these + i]
      if plain then sums[c] = (sums[c] or 0) + amount else count(c, amount) end
    end
    recorded, grown[b] = recorded + 1, (grown[b] or 0) + 1
  else
    content = tonumber(content or redis.call('HGET', KEYS[b], identity))
    -- A negative one is of a check: it says nothing of an event's content.
    if content == contents[e] or content < 0 then duplicates[#duplicates + 1] = e
    else conflicts[#conflicts + 1] = e end
  end
  before_these = before_these + #shape
end
local full = 0
for b, number in pairs(grown) do
  if lengths[b] == 0 or longer then redis.call('PEXPIREAT', KEYS[b], lives_until) end
  if lengths[b] + number > BUCKET_FULL then full = full + 1 end
end

-- What came together goes to the fields and sets, each written once.
local sums_of, kinds_of, members_of, days = {}, {}, {}, {}
for c, sum in pairs(sums) do
  local counter, kind = counters[c], kinds[c]
  days[counter[2]] = true
  if kind == 'unique' then
    for i = 3, #counter do
      members_of[counter[i]] = members_of[counter[i]] or {}
      for _, member in ipairs(sum) do table.insert(members_of[counter[i]], member) end
    end
  else
    for i = 3, #counter, 2 do
      local h, f = counter[i], counter[i + 1]
      sums_of[h], kinds_of[h] = sums_of[h] or {}, kinds_of[h] or {}
      sums_of[h][f], kinds_of[h][f] = merged(kind, sums_of[h][f], sum), kind
    end
  end
end
for h, of_hash in pairs(sums_of) do
  local name, life, fields, present = KEYS[base + hashes[h][1]], hashes[h][2], hashes[h][3], values[h]
  for f, sum in pairs(of_hash) do
    local kind, was = kinds_of[h][f], present[f]
    if not kind then redis.call('HINCRBY', name, fields[f], string.format('%.0f', sum))
    elseif kind == 'high' then
      if sum ~= 0 then redis.call('HINCRBY', name, fields[f], string.format('%.0f000000000', sum)) end
    elseif kind == 'latest' then
      redis.call('HSET', name, fields[f], was and later(was, sum) or sum)
    else
      redis.call('HSET', name, fields[f], string.format('%.0f', merged(kind, was and tonumber(was) or nil, sum)))
    end
  end
  if life > 0 then redis.call('PEXPIRE', name, life, 'NX') end
end
for s, members in pairs(members_of) do
  local exact, estimate, life = KEYS[base + sets[s][1]], KEYS[base + sets[s][2]], sets[s][3]
  local counts_exactly = redis.call('EXISTS', estimate) == 0 or redis.call('EXISTS', exact) == 1
  for _, member in ipairs(members) do  -- at most 500, as the events
    local digest = struct.pack('>I4I4', program.members[2 * member - 1], program.members[2 * member])
    redis.call('PFADD', estimate, digest)
    if counts_exactly then redis.call('SADD', exact, digest) end
  end
  redis.call('PEXPIRE', estimate, life, 'NX')
  if counts_exactly and redis.call('SCARD', exact) > EXACT_MAX then redis.call('DEL', exact)
  elseif counts_exactly then redis.call('PEXPIRE', exact, life, 'NX') end
end
for day in pairs(days) do redis.call('ZADD', KEYS[2], program.days[day][2], program.days[day][1]) end

local of_shares, raised = {}, 0
for c, sum in pairs(sums) do
  local share = share_of[c]
  if share then of_shares[share] = (of_shares[share] or 0) + sum end
end
for s, share in ipairs(shares) do
  local amount, beyond, burned = of_shares[s] or 0, 0, 0
  for _, q in ipairs(share) do
    local period, limit, kind = periods[q], quotas[q][3], quotas[q][4]
    local over = period.sum - period.paid + period.added - period.burned + amount - limit
    if kind == 'hard' or kind == 'soft' then beyond = math.max(beyond, math.min(over, amount)) end
  end
  if beyond > 0 then
    local credits = KEYS[base + quotas[share[1]][2]]
    burned = burn(credits, (grants_of(credits, now)), beyond)
  end
  for _, q in ipairs(share) do
    periods[q].added, periods[q].burned = periods[q].added + amount, periods[q].burned + burned
  end
end
for q, period in ipairs(periods) do
  local counter, quota, telling = KEYS[base + quotas[q][1]], quotas[q], program.telling
  if period.added ~= 0 then redis.call('HINCRBY', counter, 'sum', string.format('%.0f', period.added)) end
  if period.burned > 0 then redis.call('HINCRBY', counter, 'paid', string.format('%.0f', period.burned)) end
  local used = period.sum - period.paid + period.added - period.burned
  if period.added ~= 0 and used >= quota[5] and tell(counter, used, quota[3], quota[6], period.told, quota[7],
      telling[3], now, KEYS[base + telling[1]], KEYS[base + telling[2]], telling[4]) then
    raised = 1
  end
end
return {'OK', recorded, duplicates, conflicts, full, raised}
