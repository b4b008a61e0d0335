-- paced(arrival, micros, emission, tolerance): one more call under a GCRA limit whose state is `arrival`, the time in µs at
-- which it would be whole again (false: it is). Gives the state after the call, or false and the µs until it may come.
-- The state is never further away than the tolerance, except where the clock was set back: then it is cut.
local function paced(arrival, micros, emission, tolerance)
  arrival = math.min(math.max(tonumber(arrival or 0), micros), micros + tolerance) + emission
  if arrival > micros + tolerance then return false, arrival - micros - tolerance end
  return arrival
end
