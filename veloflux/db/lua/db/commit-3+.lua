#!lua
-- One change of state: everything that can fail is read and checked before the first write.
--
-- KEYS 1 events  2 done  3 due  4.. documents and indexes
-- ARGV 1 the program, JSON: {
--          expect = {{key, field, value}, ...}   field "" means the key itself; no value means absent
--          write  = {{command, key, argument, ...}, ...}
--          events = {{field, value, ...}, ...}   appended to KEYS 1
--          owner  = member of KEYS 3 that is made due when there are events
--        }; `key` is an index into KEYS, every other value a string
--
-- code OK          ids of the events, separated by blanks
-- code REPLAY      ids of the events: this commit was done before
-- code EXPECTED    index of the expectation (from 1), the actual value or false
-- code WRONGTYPE   index of the key, its type
-- code RANGE       index of the key, field: not an integer of at most 18 digits
-- code INVALID     why: the program itself is wrong

local MAX_BYTES, MAX_WRITES, MAX_ARGUMENTS, MAX_DIGITS, MAX_COUNTER = 262144, 200, 1000, 18, 1e18
local TYPES = {
  HSET = 'hash', HDEL = 'hash', HINCRBY = 'hash', SET = 'string', DEL = 'any', PEXPIRE = 'any',
  ZADD = 'zset', ZREM = 'zset', SADD = 'set', SREM = 'set',
}

-- As Redis itself reads integers: no sign but -, no leading zero.
local function integer(text)
  if text == '0' then return true end
  local digits = type(text) == 'string' and string.match(text, '^%-?([1-9]%d*)$')
  return digits and #digits <= MAX_DIGITS
end

-- A number would lose digits, anything else would end the script between two writes.
local function texts(list, first)
  for i = first, #list do  -- at most MAX_ARGUMENTS
    if type(list[i]) ~= 'string' then return false end
  end
  return true
end

local ARGUMENTS_VALID = {
  HSET = function(w) return #w >= 4 and #w % 2 == 0 end,
  HDEL = function(w) return #w >= 3 end,
  HINCRBY = function(w) return #w == 4 and integer(w[4]) end,
  SET = function(w) return #w == 3 or (#w == 5 and w[4] == 'PX' and integer(w[5]) and tonumber(w[5]) > 0) end,
  DEL = function(w) return #w == 2 end,
  PEXPIRE = function(w) return #w == 3 and integer(w[3]) end,
  ZADD = function(w) return #w == 4 and integer(w[3]) end,
  ZREM = function(w) return #w >= 3 end,
  SADD = function(w) return #w >= 3 end,
  SREM = function(w) return #w >= 3 end,
}

local done = redis.call('GET', KEYS[2])
if done then return {'REPLAY', done} end

if #ARGV[1] > MAX_BYTES then return {'INVALID', 'program longer than 262144 bytes'} end
local program = cjson.decode(ARGV[1])
if #program.write > MAX_WRITES then return {'INVALID', 'more than 200 writes'} end

for _, event in ipairs(program.events) do  -- at most as many as the program's bytes allow
  if #event < 2 or #event % 2 ~= 0 or #event > MAX_ARGUMENTS or not texts(event, 1) then
    return {'INVALID', 'fields of an event'}
  end
end

for i, e in ipairs(program.expect) do  -- at most as many as the program's bytes allow
  local key, field, value = KEYS[e[1]], e[2], e[3]
  local actual
  if field ~= '' then actual = redis.pcall('HGET', key, field)
  elseif value then actual = redis.pcall('GET', key)
  else actual = redis.call('EXISTS', key) == 1 and 'present' end
  if type(actual) == 'table' then return {'WRONGTYPE', e[1], redis.call('TYPE', key).ok} end
  if actual ~= (value or false) then return {'EXPECTED', i, actual} end
end

local wanted = {[KEYS[1]] = 'stream', [KEYS[2]] = 'string', [KEYS[3]] = 'zset'}
local used = {[KEYS[1]] = 1, [KEYS[3]] = 3}
local counters, replaced = {}, {}
for _, w in ipairs(program.write) do  -- at most MAX_WRITES
  local command, key, kind = w[1], KEYS[w[2]], TYPES[w[1]]
  if not kind then return {'INVALID', 'command ' .. tostring(command)} end
  if not key then return {'INVALID', 'no such key'} end
  if #w > MAX_ARGUMENTS or not texts(w, 3) or not ARGUMENTS_VALID[command](w) then
    return {'INVALID', 'arguments of ' .. command}
  end
  if kind ~= 'any' then
    if wanted[key] and wanted[key] ~= kind then return {'INVALID', 'two types for one key'} end
    wanted[key], used[key] = kind, w[2]
  end
  if command == 'HINCRBY' then
    local name = key .. '\0' .. w[3]
    if replaced[key] or replaced[name] then return {'INVALID', 'HINCRBY of a field that is also set'} end
    counters[name] = counters[name] or {w[2], w[3], redis.pcall('HGET', key, w[3]), 0}
    counters[name][4] = counters[name][4] + math.abs(tonumber(w[4]))
  elseif command == 'HSET' then
    for f = 3, #w, 2 do replaced[key .. '\0' .. w[f]] = true end  -- at most MAX_ARGUMENTS
  elseif command == 'DEL' then replaced[key] = true end
end

for key, index in pairs(used) do  -- at most MAX_WRITES + 2
  local actual = redis.call('TYPE', key).ok
  if actual ~= 'none' and actual ~= wanted[key] then return {'WRONGTYPE', index, actual} end
end
for _, c in pairs(counters) do  -- at most MAX_WRITES
  local now = c[3] or '0'
  if not integer(now) or math.abs(tonumber(now)) + c[4] >= MAX_COUNTER then return {'RANGE', c[1], c[2]} end
end

for _, w in ipairs(program.write) do
  w[2] = KEYS[w[2]]
  redis.call(unpack(w))
end
local ids = {}
for i, event in ipairs(program.events) do ids[i] = redis.call('XADD', KEYS[1], '*', unpack(event)) end
if #ids > 0 then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[3], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), program.owner)
end
local result = table.concat(ids, ' ')
redis.call('SET', KEYS[2], result, 'PX', 600000)
return {'OK', result}
