#!lua
-- Count events, each once: what is remembered as seen, the usage of each quarter of an hour, the totals of each month.
-- Everything that can refuse is read before the first write.
--
-- KEYS 1 limits  2 usage_days  3.. for each group of events its seen bucket of this generation, then the buckets of the
--      generation before, usage days and month totals
-- ARGV 1 version of the policy  2 the seen state as the caller knows it  3 buckets of a new generation if one is due, else
--      ""  4 how long the plan remembers, ms  5 oldest and 6 latest time among the events, epoch ms  7 oldest age accepted
--      in ms, "" for a backfill  8 the program, MessagePack: {
--          sizes    = how many events each group has, at least one
--          contents = for each event, in the order of the groups, the number that tells its content
--          earlier  = for each event the index in KEYS of its bucket of the generation before; empty if there is none
--          events   = for each event number of amounts, then counter and amount of each
--          counters = {index in KEYS of the usage day, field, index in KEYS of the total, sum of the sizes of its amounts}
--          days     = {index in KEYS of the usage day, its member of KEYS 2, day number since 1970}
--        }
--      9 for each event, in the same order: 8 bytes of the digest of its identity
--
-- code OK       number counted, positions (from 1) of those seen before, of those seen before with other content, number
--               of buckets that are full enough to split one for each
-- code TENANT   its status, or false: it is not active
-- code STALE    policy, its version: the caller knows another one
-- code ROLL     real time in ms, the seen state: the caller took another one, or a time among the events is not accepted
-- code GROW     a bucket would hold more than it may: split some and ask again
-- code RANGE    a counter would leave +-10^18

local USAGE_MS, TOTAL_MS = 7776000000, 34560000000
local AHEAD_MS, MAX_COUNTER = 300000, 1e18

local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen')
if state[1] ~= 'active' then return {'TENANT', state[1]} end
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
-- include clock
local known, fresh, seen_ms = ARGV[2], ARGV[3], tonumber(ARGV[4])
-- include seen
if seen_stale or tonumber(ARGV[5]) < now - (tonumber(ARGV[7]) or math.huge) or tonumber(ARGV[6]) > now + AHEAD_MS then
  return {'ROLL', real, state[4] or ''}
end

local program, marks = cmsgpack.unpack(ARGV[8]), ARGV[9]
local totals = {}
for _, c in ipairs(program.counters) do  -- at most as many as amounts
  local day, field, total, bound = unpack(c)
  local usage = tonumber(redis.call('HGET', KEYS[day], field) or 0)
  if math.abs(usage) + bound >= MAX_COUNTER then return {'RANGE'} end
  totals[total] = (totals[total] or 0) + bound
end
for total, bound in pairs(totals) do
  local amount = tonumber(redis.call('HGET', KEYS[total], 'sum') or 0)
  if math.abs(amount) + bound >= MAX_COUNTER then return {'RANGE'} end
end

local lengths, event = {}, 0
for g, size in ipairs(program.sizes) do  -- at most 500, as the events
  local bucket, length = KEYS[2 + g], redis.call('HLEN', KEYS[2 + g])
  lengths[g] = length
  if length + size > BUCKET_MAX then  -- count those that are new
    local added = {}
    for e = event + 1, event + size do
      local identity, earlier = string.sub(marks, e * 8 - 7, e * 8), KEYS[program.earlier[e]]
      if not added[identity] and redis.call('HEXISTS', bucket, identity) == 0
        and not (earlier and redis.call('HEXISTS', earlier, identity) == 1) then
        added[identity], length = true, length + 1
      end
    end
    if length > BUCKET_MAX then return {'GROW'} end
  end
  event = event + size
end

-- From here on nothing can fail.
if seen_next then redis.call('HSET', KEYS[1], 'seen', seen_next) end
local events, contents, sums = program.events, program.contents, {}
local recorded, duplicates, conflicts, full = 0, {}, {}, 0
local at = 1
event = 0
for g, size in ipairs(program.sizes) do  -- at most 500, as the events
  local bucket, length = KEYS[2 + g], lengths[g]
  for e = event + 1, event + size do
    local identity, earlier = string.sub(marks, e * 8 - 7, e * 8), KEYS[program.earlier[e]]
    local last = at + 2 * events[at]
    local content = earlier and redis.call('HGET', earlier, identity)
    if not content and redis.call('HSETNX', bucket, identity, contents[e]) == 1 then
      for a = at + 1, last, 2 do sums[events[a]] = (sums[events[a]] or 0) + events[a + 1] end
      recorded, length = recorded + 1, length + 1
    else
      content = tonumber(content or redis.call('HGET', bucket, identity))
      -- A negative one is of a check: it says nothing of an event's content.
      if content == contents[e] or content < 0 then duplicates[#duplicates + 1] = e
      else conflicts[#conflicts + 1] = e end
    end
    at = last + 1
  end
  event = event + size
  if length > lengths[g] then
    if lengths[g] == 0 or longer then redis.call('PEXPIREAT', bucket, lives_until) end
    if length > BUCKET_FULL then full = full + 1 end
  end
end

totals = {}
local touched = {}
for c, sum in pairs(sums) do
  local day, field, total = unpack(program.counters[c])
  redis.call('HINCRBY', KEYS[day], field, string.format('%.0f', sum))
  touched[day], totals[total] = true, (totals[total] or 0) + sum
end
for total, sum in pairs(totals) do
  redis.call('HINCRBY', KEYS[total], 'sum', string.format('%.0f', sum))
  redis.call('PEXPIRE', KEYS[total], TOTAL_MS, 'NX')
end
for _, day in ipairs(program.days) do  -- at most as many as usage days
  if touched[day[1]] then
    redis.call('PEXPIRE', KEYS[day[1]], USAGE_MS, 'NX')
    redis.call('ZADD', KEYS[2], day[3], day[2])
  end
end
return {'OK', recorded, duplicates, conflicts, full}
