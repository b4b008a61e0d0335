#!lua
-- Begin the counters of quotas' periods with what was used of each until now. From then on whatever counts adds to them,
-- so a quota that comes with a new plan is exact at once. The limits hash names those that are kept up to date.
--
-- KEYS 1 limits  2.. the counters, those whose period they replace, and the usage days or totals of months that they are
--      begun with
-- ARGV 1 field of KEYS 1 that names the periods  2 what the caller knows of it  3 what it becomes  4 number of counters
--      5.. of each: its index in KEYS, how long it lives in ms ("" for ever), the index of the counter whose period it
--      replaces or "", how many keys it is begun with; then of each of those its index in KEYS, and the first and the last
--      quarter of an hour that count, or twice "" for a total
--
-- code OK       the counters are open
-- code CHANGED  what the field says: the caller knows something else

local EXACT = 2 ^ 52

local open = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if open ~= ARGV[2] then return {'CHANGED', open} end
local counter, added
local function flush(text)
  redis.call('HINCRBY', counter, 'sum', text)
end
-- Lua's numbers are exact up to 2^53: what is larger is added by Redis.
local function add(text)
  local amount = tonumber(text)
  if math.abs(amount) >= EXACT then flush(text) else added = added + amount end
  if math.abs(added) >= EXACT then
    flush(string.format('%.0f', added))
    added = 0
  end
end
local at = 5
for _ = 1, tonumber(ARGV[4]) do  -- at most the quotas of a policy
  local life, replaced, sources = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  counter, added = KEYS[tonumber(ARGV[at])], 0
  redis.call('HDEL', counter, 'sum')
  at = at + 4
  for _ = 1, sources do  -- at most the 33 days of a month, or the months of nine years
    local source, first, last = KEYS[tonumber(ARGV[at])], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    if not first then add(redis.call('HGET', source, 'sum') or '0')
    else
      local quarters = redis.call('HGETALL', source)
      for q = 1, #quarters, 2 do  -- at most 96
        local quarter = tonumber(quarters[q])
        if quarter and quarter >= first and quarter <= last then add(quarters[q + 1]) end
      end
    end
    at = at + 3
  end
  flush(string.format('%.0f', added))
  -- What credits paid of the period that ends early they paid of this one, as far as its usage reaches.
  -- `opened` is what was paid when a counter was opened last: what it has paid since, one that comes back lacks.
  local begun = redis.call('HMGET', counter, 'sum', 'paid', 'opened')
  local paid = tonumber(begun[2] or 0)
  if replaced then
    local of = redis.call('HMGET', KEYS[replaced], 'paid', 'opened')
    local lacked = tonumber(of[1] or 0) - (begun[3] and tonumber(of[2] or 0) - paid or 0)
    paid = math.max(paid, math.min(lacked, tonumber(begun[1])))
  end
  if paid > 0 then redis.call('HSET', counter, 'paid', string.format('%.0f', paid)) end
  redis.call('HSET', counter, 'opened', string.format('%.0f', paid))
  if life ~= '' then redis.call('PEXPIRE', counter, life) end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return {'OK'}
