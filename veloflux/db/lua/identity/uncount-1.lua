#!lua flags=allow-oom
-- Take back an attempt that succeeded from a count that others share, once; or all that a count has.
--
-- KEYS 1 count
-- ARGV 1 the attempt's id (empty: all of them), 2 number of free attempts
--
-- code OK
if ARGV[1] == '' then
  redis.call('DEL', KEYS[1])
  return {'OK'}
end
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return {'OK'} end
if (tonumber(redis.call('HGET', KEYS[1], 'count')) or 0) > 0
  and redis.call('HINCRBY', KEYS[1], 'count', -1) < tonumber(ARGV[2]) then
  redis.call('HDEL', KEYS[1], 'until')
end
return {'OK'}
