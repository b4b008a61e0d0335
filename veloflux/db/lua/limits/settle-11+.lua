#!lua
-- Commit a reservation, which counts what was really used, or release it, which counts nothing. What is committed counts
-- though it is more than was reserved, or though the lease is over. Each reservation is settled once.
--
-- KEYS 1 limits  2 API key (not looked at when ARGV 2 is "")  3 usage day  4 month total  5 usage_days  6 minutes
--      7 leases  8 reservation  9 credits  10 events  11 due  12.. counter of each quota, then the segments of the meter if
--      it is billed
-- ARGV 1 version of the policy  2 digest of the API key's secret  3 built-in roles that may check, each between blanks
--      4 start and 5 end of the time of the tenant's clock, epoch ms, for which these keys and quotas are the right ones
--      6 list of networks of the API key, as it is kept, that the caller found the client's address in, "[]" without one
--      7 committed or released  8 amount  9 meter  10 field of what is reserved  11 member of KEYS 5 for this day
--      12 reservation  13 who asks  14 whose events they are  15 number of quotas
--      16 field of the open periods, 17 what it must say
--      18.. limit, hard or soft or (in the shadow) its name, the first amount at which there is something to say, the
--      percentages, and how the event's data begin, of each quota; then the start of the segment if the meter is billed
--
-- code DONE       1 if the lease was over; month total before; reserved; units that credits paid; 1 if an event was written;
--                 of each quota `sum` and `paid` before
-- code SETTLED    how, and the amount: it was settled before
-- code MISSING    false, or the other meter (or version of it) that this reservation is of
-- code TENANT     its status, or false: it is not active
-- code KEY        the API key is unknown, revoked, expired, or another one
-- code ADDRESS    the API key's list of networks: the caller knows another one
-- code ROLE       the API key's role may not check, or its own permissions do not include it
-- code STALE      policy, its version: the caller knows another one
-- code ROLL       real time in ms: the caller took another time
-- code OPEN       what the field of the open periods says: the counters of these quotas must be opened
-- code RANGE      the month total would reach 10^18

local MAX_COUNTER = 1e18
-- include quota

local state = redis.call('HMGET', KEYS[1], 'status', 'version', 'clock', ARGV[10], ARGV[16])
if state[1] ~= 'active' then return {'TENANT', state[1]} end
-- include clock
local own_from, own_to = 1, 0
-- include asker
if state[2] ~= ARGV[1] then return {'STALE', redis.call('HGET', KEYS[1], 'policy'), state[2]} end
if now < tonumber(ARGV[4]) or now >= tonumber(ARGV[5]) then return {'ROLL', real} end
if (state[5] or '') ~= ARGV[17] then return {'OPEN', state[5] or ''} end
local held = redis.call('HMGET', KEYS[8], 'status', 'meter', 'amount', 'until', 'spent')
if held[2] ~= ARGV[9] then return {'MISSING', held[2]} end
if held[1] ~= 'open' then return {'SETTLED', held[1], held[5]} end

local amount, quotas = tonumber(ARGV[8]), tonumber(ARGV[15])
local counters, quota_args = 11, 17
local sums, paids, tolds, answer = {}, {}, {}, {}
local beyond = 0
for q = 1, quotas do  -- as many as the policy has for the meter
  local counted = redis.call('HMGET', KEYS[11 + q], 'sum', 'paid', 'told')
  answer[2 * q - 1], answer[2 * q] = counted[1] or '0', counted[2] or '0'
  sums[q], paids[q], tolds[q] = tonumber(counted[1] or 0), tonumber(counted[2] or 0), counted[3]
  local over, kind = sums[q] - paids[q] + amount - ARGV[quota_args + 5 * q - 4], ARGV[quota_args + 5 * q - 3]
  if kind == 'hard' or kind == 'soft' then beyond = math.max(beyond, math.min(over, amount)) end
end
local total = redis.call('HGET', KEYS[4], 'sum') or '0'
if tonumber(total) + amount >= MAX_COUNTER then return {'RANGE'} end

local reserved = tonumber(state[4] or 0)
if redis.call('ZREM', KEYS[7], ARGV[12] .. '|' .. held[3]) == 1 then
  reserved = reserved - held[3]
  redis.call('HINCRBY', KEYS[1], ARGV[10], '-' .. held[3])
end
redis.call('HSET', KEYS[8], 'status', ARGV[7], 'spent', ARGV[8])
local burned, raised = 0, false
if amount > 0 then
  if beyond > 0 then burned = burn(KEYS[9], (grants_of(KEYS[9], now)), beyond) end
  local usage_day, month_total, usage_days, minutes = KEYS[3], KEYS[4], KEYS[5], KEYS[6]
  local events, due_set, day_member, actor, owner = KEYS[10], KEYS[11], ARGV[11], ARGV[13], ARGV[14]
-- include count
end
return {'DONE', real >= tonumber(held[4]) and 1 or 0, total, string.format('%.0f', reserved), burned, raised and 1 or 0,
  unpack(answer)}
