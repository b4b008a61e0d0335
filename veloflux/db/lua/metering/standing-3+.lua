#!lua
-- What was used of a meter in its whole life, and in its segments, at one moment: while events come, what is read one
-- after the other does not fit together. Nothing is written.
--
-- KEYS 1 limits  2 counter of the whole life  3 segments  4.. totals of the months that a counter is begun with
-- ARGV 1 field of KEYS 1 that names the counters that are kept up to date
--
-- code OK  what that field says, `sum` and `paid` of the counter, the segments, the total of each month

local months = {}
for k = 4, #KEYS do  -- at most those that are kept
  months[k - 3] = redis.call('HGET', KEYS[k], 'sum')
end
local open = redis.call('HGET', KEYS[1], ARGV[1]) or ''
return {'OK', open, redis.call('HMGET', KEYS[2], 'sum', 'paid'), redis.call('HGETALL', KEYS[3]), months}
