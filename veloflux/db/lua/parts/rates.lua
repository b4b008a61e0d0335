-- Rate limits, each of whose state is one text (that of GCRA may be given as the number that it is). Each function gives:
-- how long to wait in µs if `cost` may not pass now (0: it may), the state when it passed, how much might pass before, µs
-- until it is whole (or the oldest leaves), and the state to be kept in any case where the clock was set back or the plan
-- changed: what is ahead of the clock is cut, so that it nears as time passes.

-- GCRA: the state is the time at which the limit would be whole again.
local function gcra(state, micros, cost, emission, tolerance)
  local arrival, cut = tonumber(state or 0), nil
  if arrival < micros then arrival = micros end
  if arrival > micros + tolerance then
    arrival = micros + tolerance
    cut = arrival
  end
  local wait = arrival + emission * cost - tolerance - micros
  -- More than the burst at once never passes; then the wait is until the limit is whole.
  if wait > 0 then wait = math.min(wait, math.max(arrival - micros, emission)) else wait = 0 end
  return wait, arrival + emission * cost,
    math.floor((micros + tolerance - arrival) / emission), arrival - micros, cut
end

-- Two buckets: what passed in the window before counts by the part of it that a sliding window would still hold. An
-- estimate, which takes what passed then as spread evenly. The state: start of the window, what passed in it, before it.
local function window(state, micros, cost, count, length)
  local start, cut = micros - micros % length, nil
  local at, current, previous = string.match(state or '', '^(%d+) (%d+) (%d+)$')
  at, current, previous = tonumber(at or 0), tonumber(current or 0), tonumber(previous or 0)
  if at < start - length then current, previous = 0, 0
  elseif at < start then current, previous = 0, current
  elseif at > start then cut = string.format('%.0f %.0f %.0f', start, current, previous) end
  local elapsed, wait = micros - start, 0
  local left = count - current - math.floor(previous * (length - elapsed) / length)
  if cost > count then wait = length
  elseif current + cost > count then
    wait = length - elapsed + math.max(length - math.ceil((count - cost + 1) * length / current) + 1, 0)
  elseif cost > left then
    wait = math.max(length - math.ceil((count - current - cost + 1) * length / previous) + 1 - elapsed, 1)
  end
  return wait, string.format('%.0f %.0f %.0f', start, current + cost, previous), math.max(left, 0), length - elapsed, cut
end

-- A log of what passed: exact. The state: the sum, then time and amount of each moment, the oldest first; an entry has
-- at most 40 characters.
local LOG_ENTRY = 40
local function log(state, micros, cost, count, length)
  local text, cut = state or '0', nil
  local sum, at = string.match(text, '^(%d+)()')
  sum = tonumber(sum)
  local last_at, _, last, last_amount = string.find(text, ' (%d+):(%d+)$', -LOG_ENTRY)
  if last_at and tonumber(last) > micros then
    text = string.format('%.0f %.0f:%.0f', sum, micros, sum)
    cut, last_at, last, last_amount = text, at, micros, sum
  end
  while true do  -- at most the 1,000 that the log holds
    local passed_at, amount, next_at = string.match(text, '^ (%d+):(%d+)()', at)
    if not passed_at or tonumber(passed_at) >= micros - length then break end
    sum, at = sum - amount, next_at
  end
  local oldest = string.match(text, '^ (%d+)', at)
  local excess, wait, walked = sum + cost - count, 0, at
  if cost > count then wait, excess = length, 0 end
  while excess > 0 do  -- at most the 1,000 that the log holds
    local passed_at, amount, next_at = string.match(text, '^ (%d+):(%d+)()', walked)
    excess, wait, walked = excess - amount, passed_at + length - micros + 1, next_at
  end
  local kept, now = string.sub(text, at), cost
  if tonumber(last) == micros then kept, now = string.sub(text, at, last_at - 1), last_amount + cost end
  return wait, string.format('%.0f%s %.0f:%.0f', sum + cost, kept, micros, now),
    math.max(count - sum, 0), oldest and oldest + length - micros or length, cut
end
