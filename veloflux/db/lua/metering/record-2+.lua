#!lua
-- Count events, each once: what is remembered as seen, the usage of each quarter of an hour, the totals of each month.
-- Everything that can refuse is read before the first write. `made` in the limits hash counts the buckets that have their
-- end of life, so that a generation with all its buckets is asked no more.
--
-- KEYS 1 limits  2 usage_days  3.. for each group of events its seen bucket of this generation, then (unless ARGV 4 is 0)
--      its bucket of the one before, then usage days and month totals
-- ARGV 1 version of the policy  2 generation  3 its number of buckets  4 that of the generation before, 0 if there is none
--      5 oldest and 6 latest time among the events, epoch ms  7 oldest age accepted in ms, "" for a backfill
--      8 the program, MessagePack: {
--          sizes    = how many events each group has
--          events   = for each event, in the order of the groups: number of amounts, then counter and amount of each
--          counters = {index in KEYS of the usage day, field, index in KEYS of the total, sum of the sizes of its amounts}
--          days     = {index in KEYS of the usage day, its member of KEYS 2, day number since 1970}
--        }
--      9 for each event, in the same order: 6 bytes of the digest of its identity, 2 bytes of that of its content
--
-- code OK       number counted, positions (from 1) of those seen before, of those seen before with other content
-- code TENANT   its status, or false: it is not active
-- code STALE    policy, its version: the caller knows another one
-- code ROLL     real time in ms, buckets of this and of the former generation: the caller took another one, or a time
--               among the events is not accepted
-- code RANGE    a counter would leave +-10^18

local GENERATION_MS, SEEN_MS, USAGE_MS, TOTAL_MS = 3024000000, 6048000000, 7776000000, 34560000000
local AHEAD_MS, MAX_COUNTER = 300000, 1e18

local time = redis.call('TIME')
local real = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = math.floor(real / GENERATION_MS)
local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', 'seen:' .. generation,
  'seen:' .. generation - 1, 'made:' .. generation)
if state[1] ~= 'active' then return {'TENANT', state[1]} end
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end

local clock, now = state[3] or '', real
if string.sub(clock, 1, 1) == '=' then now = tonumber(string.sub(clock, 2))
elseif clock ~= '' then now = real + tonumber(clock) end
local before = state[5] or '0'
if generation ~= tonumber(ARGV[2]) or (state[4] or ARGV[3]) ~= ARGV[3] or before ~= ARGV[4]
  or tonumber(ARGV[6]) > now + AHEAD_MS or (ARGV[7] ~= '' and tonumber(ARGV[5]) < now - ARGV[7]) then
  return {'ROLL', real, state[4] or '0', before}
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

-- From here on nothing can fail.
if not state[4] then
  redis.call('HSET', KEYS[1], 'seen:' .. generation, ARGV[3])
  redis.call('HDEL', KEYS[1], 'seen:' .. generation - 2, 'made:' .. generation - 2)
end
local groups, events, sums = #program.sizes, program.events, {}
local to_make = tonumber(ARGV[3]) - (state[6] or 0)
local recorded, duplicates, conflicts, made = 0, {}, {}, 0
local event, at = 0, 1
for g, size in ipairs(program.sizes) do  -- at most 500, as the events
  local bucket, earlier, grew = KEYS[2 + g], before ~= '0' and KEYS[2 + groups + g], false
  for event_ = event, event + size - 1 do
    local identity = string.sub(marks, event_ * 8 + 1, event_ * 8 + 6)
    local content = string.sub(marks, event_ * 8 + 7, event_ * 8 + 8)
    local last = at + 2 * events[at]
    local known = earlier and redis.call('HGET', earlier, identity)
    if not known and redis.call('HSETNX', bucket, identity, content) == 1 then
      for a = at + 1, last, 2 do sums[events[a]] = (sums[events[a]] or 0) + events[a + 1] end
      recorded, grew = recorded + 1, true
    else
      known = known or redis.call('HGET', bucket, identity)
      -- The first bit marks what a check counted: it says nothing of an event's content.
      if known == content or string.byte(known) >= 128 then duplicates[#duplicates + 1] = event_ + 1
      else conflicts[#conflicts + 1] = event_ + 1 end
    end
    at = last + 1
  end
  event = event + size
  if grew and to_make > 0 then made = made + redis.call('PEXPIRE', bucket, SEEN_MS, 'NX') end
end
if made > 0 then redis.call('HINCRBY', KEYS[1], 'made:' .. generation, made) end

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
return {'OK', recorded, duplicates, conflicts}
