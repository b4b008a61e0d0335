-- Count `amount` units at the time `now`: in the quarter of the hour, the minute, the month, each counter of a quota, whose
-- `burned` units credits paid, and the segment that money reads. From the caller: the keys, `quotas` with `counters`,
-- `sums`, `paids`, `tolds`, and `quota_args`, where the five arguments of each begin; after the last quota's there may be
-- the start of a segment, and its key after theirs. It sets `raised` if an event was written.
local quarter = math.floor(now % 86400000 / 900000)
local units = string.format('%.0f', amount)
if redis.call('HINCRBY', usage_day, quarter, units) == amount then
  redis.call('PEXPIRE', usage_day, 7776000000, 'NX')
  redis.call('ZADD', usage_days, math.floor(now / 86400000), day_member)
end
if redis.call('HINCRBY', month_total, 'sum', units) == amount then redis.call('PEXPIRE', month_total, 34560000000, 'NX') end
if redis.call('HINCRBY', minutes, math.floor(now % 3600000 / 60000), units) == amount then
  redis.call('PEXPIRE', minutes, 28800000, 'NX')
end
for q = 1, quotas do  -- as many as the policy has for the meter
  local counter, at = KEYS[counters + q], quota_args + 5 * q
  redis.call('HINCRBY', counter, 'sum', units)
  if burned > 0 then redis.call('HINCRBY', counter, 'paid', string.format('%.0f', burned)) end
  local used = sums[q] - paids[q] + amount - burned
  if used >= tonumber(ARGV[at - 2]) and tell(counter, used, tonumber(ARGV[at - 4]), ARGV[at - 1], tolds[q], ARGV[at],
      actor, now, events, due_set, owner) then
    raised = true
  end
end
local segment = ARGV[quota_args + 5 * quotas + 1]
if segment then
  -- What is closed stays as it is, though a clock be set back.
  if now < tonumber(redis.call('HGET', KEYS[1], 'closed_through') or 0) then segment = segment .. '.late' end
  redis.call('HINCRBY', KEYS[counters + quotas + 1], segment, units)
end
