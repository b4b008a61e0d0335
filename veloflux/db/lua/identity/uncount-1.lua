#!lua flags=allow-oom
-- Take back an attempt that succeeded from a count that others share.
--
-- KEYS 1 count
-- ARGV 1 number of free attempts
--
-- code OK
if (tonumber(redis.call('HGET', KEYS[1], 'count')) or 0) > 0
  and redis.call('HINCRBY', KEYS[1], 'count', -1) < tonumber(ARGV[1]) then
  redis.call('HDEL', KEYS[1], 'until')
end
return {'OK'}
