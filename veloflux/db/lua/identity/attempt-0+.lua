#!lua
-- Count an attempt before it is made, unless one of its counts says to wait. Of each count the first attempts are free;
-- from then on each one doubles the wait after it, and after some of these it is locked for long.
--
-- KEYS 1.. counts
-- ARGV 1 the attempt's id, 2.. number of free attempts of each count
--
-- code OK    counted, now or before: its answer may have got lost
-- code WAIT  ms until the next attempt; nothing was counted
local WAIT_MS, DOUBLINGS, LOCKED_MS, LIFE_MS = 2000, 5, 900000, 3600000

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return {'OK'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait = 0
for at = 1, #KEYS do  -- one or two
  wait = math.max(wait, tonumber(redis.call('HGET', KEYS[at], 'until') or 0) - now)
end
if wait > 0 then return {'WAIT', wait} end

for at = 1, #KEYS do
  local over = redis.call('HINCRBY', KEYS[at], 'count', 1) - ARGV[1 + at]
  redis.call('HSET', KEYS[at], ARGV[1], '')
  redis.call('PEXPIRE', KEYS[at], LIFE_MS, 'NX')
  if over >= 0 then
    local pause = over < DOUBLINGS and WAIT_MS * 2 ^ over or LOCKED_MS
    redis.call('HSET', KEYS[at], 'until', string.format('%.0f', now + pause))
    redis.call('PEXPIRE', KEYS[at], pause, 'GT')
  end
end
return {'OK'}
