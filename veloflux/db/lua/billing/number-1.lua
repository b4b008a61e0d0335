#!lua
-- The number of a document in a row without gaps: the next one, and from then on the same for the same document.
--
-- KEYS 1 numbers: `<kind>` is the last one given, the id of a document its own
-- ARGV 1 kind of document
--      2 id of the document
--
-- code OK  the number

local known = redis.call('HGET', KEYS[1], ARGV[2])
if known then return {'OK', tonumber(known)} end
local number = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('HSET', KEYS[1], ARGV[2], number)
return {'OK', number}
