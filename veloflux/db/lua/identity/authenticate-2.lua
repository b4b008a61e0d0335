#!lua flags=allow-oom
-- Who a session token is: the session must live, and its person be active and of the same session epoch. Its idle time
-- begins anew, written at most once a minute; not that of who acts as the person, which is no sign of life. Counts the
-- call under the limit of the session.
--
-- KEYS 1 the person  2 the session
-- ARGV 1 milliseconds that a session lives without use  2 emission and 3 tolerance of the limit, µs
--
-- code OK     name, e-mail, language, the factors of the session as JSON, the only tenant that it opens or "",
--             impersonator, impersonation ("" unless somebody acts as the person), µs that the limit is used up
-- code RATE   µs until the next call may come
-- code GONE   no such session, or its time is over
-- code ENDED  the person is not active, or all sessions were ended
local SEEN_MS = 60000

-- include pace

local session = redis.call('HMGET', KEYS[2], 'epoch', 'ends_at', 'seen_at', 'impersonator', 'impersonation', 'factors',
  'via', 'pace')
if not session[1] then return {'GONE'} end
local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
local left = tonumber(session[2]) - now
if left <= 0 then return {'GONE'} end

local person = redis.call('HMGET', KEYS[1], 'status', 'epoch', 'name', 'email', 'language')
if person[1] ~= 'active' or person[2] ~= session[1] then return {'ENDED'} end
local arrival, wait = paced(session[8], micros, tonumber(ARGV[2]), tonumber(ARGV[3]))
if not arrival then return {'RATE', wait} end

redis.call('HSET', KEYS[2], 'pace', string.format('%.0f', arrival))
local impersonator = session[4] or ''
if impersonator == '' and now - tonumber(session[3]) >= SEEN_MS then
  redis.call('HSET', KEYS[2], 'seen_at', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[2], string.format('%.0f', math.min(left, tonumber(ARGV[1]))))
end
return {'OK', person[3], person[4], person[5], session[6] or '["password"]', session[7] or '', impersonator,
  session[5] or '', arrival - micros}
