#!lua
-- One change of state: everything that can fail is read and checked before the first write.
--
-- The program is a flat list of words, so that nothing is decoded here and nothing can be but text. A key in it is an
-- index into KEYS, which differ from each other.
--
-- KEYS 1 events  2 done  3 due  4.. documents and indexes
-- ARGV 1 owner: the member of KEYS 3 that is made due when there are events
--      2 how many expectations
--      3 how many writes
--      4.. each expectation: key, field ("" means the key itself), "=" and the value ("" means absent);
--      of a sorted set: key, member, "@" and its score;
--      then each write: command, key, how many arguments, the arguments; HINCRBY before all others;
--      then each event, appended to KEYS 1: how many words, its fields and values
--
-- code OK          ids of the events, separated by blanks
-- code REPLAY      ids of the events: this commit was done before
-- code EXPECTED    index of the expectation (from 1), the actual value or false
-- code WRONGTYPE   index of the key, its type
-- code RANGE       index of the key, field: not an integer of at most 18 digits
-- code INVALID     why: the program itself is wrong

local MAX_WORDS, MAX_WRITES, MAX_ARGUMENTS, MAX_DIGITS, MAX_COUNTER = 20000, 200, 1000, 18, 1e18

-- As Redis itself reads integers: no sign but -, no leading zero.
local function integer(text)
  if text == '0' then return true end
  local digits = string.match(text, '^%-?([1-9]%d*)$')
  return digits and #digits <= MAX_DIGITS
end

-- The type of key that a command writes; nothing when its `n` arguments, from `first` on, are not those it takes.
local function written(command, first, n)
  if command == 'HSET' then return n >= 2 and n % 2 == 0 and 'hash' end
  if command == 'ZADD' then return n == 2 and integer(ARGV[first]) and 'zset' end
  if command == 'SET' then
    local life = n == 3 and ARGV[first + 1] == 'PX' and integer(ARGV[first + 2]) and tonumber(ARGV[first + 2])
    return (n == 1 or (life and life > 0)) and 'string'
  end
  if command == 'HINCRBY' then return n == 2 and integer(ARGV[first + 1]) and 'hash' end
  if command == 'DEL' then return n == 0 and 'any' end
  if command == 'PEXPIRE' then return n == 1 and integer(ARGV[first]) and 'any' end
  if command == 'HDEL' then return n >= 1 and 'hash' end
  if command == 'ZREM' then return n >= 1 and 'zset' end
  if command == 'SADD' or command == 'SREM' then return n >= 1 and 'set' end
end

-- How many words follow the count at `at`; nothing when they pass the end or the bound.
local function count(at)
  local n = tonumber(ARGV[at])
  return n and n >= 0 and n % 1 == 0 and n <= MAX_ARGUMENTS and at + n <= #ARGV and n
end

local done = redis.call('GET', KEYS[2])
if done then return {'REPLAY', done} end

local expectations, writes = tonumber(ARGV[2]), tonumber(ARGV[3])
if #ARGV > MAX_WORDS or writes > MAX_WRITES then return {'INVALID', 'more than 200 writes or 20000 words'} end

local due = redis.pcall('ZSCORE', KEYS[3], ARGV[1])
if type(due) == 'table' then return {'WRONGTYPE', 3, redis.call('TYPE', KEYS[3]).ok} end

local wanted = {'stream', 'string', 'zset'}
local actual_type = {[2] = 'string', [3] = 'zset'}
local at = 4
for i = 1, expectations do  -- at most MAX_WORDS / 3
  local index, field, value = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
  local key, ranked, actual = KEYS[index], string.sub(value, 1, 1) == '@', nil
  if ranked then actual = redis.pcall('ZSCORE', key, field)
  elseif field ~= '' then actual = redis.pcall('HGET', key, field)
  elseif value ~= '' then actual = redis.pcall('GET', key)
  else actual = redis.call('EXISTS', key) == 1 and 'present' end
  if type(actual) == 'table' then return {'WRONGTYPE', index, redis.call('TYPE', key).ok} end
  if (actual and (ranked and '@' or '=') .. actual or '') ~= value then return {'EXPECTED', i, actual} end
  if actual then actual_type[index] = ranked and 'zset' or field ~= '' and 'hash' or 'string'
  elseif field == '' then actual_type[index] = 'none' end
  at = at + 3
end

local first_write = at
local counters, others = {}, false
for _ = 1, writes do  -- at most MAX_WRITES
  local command, index, n = ARGV[at], tonumber(ARGV[at + 1]), count(at + 2)
  if not KEYS[index] then return {'INVALID', 'no such key'} end
  local kind = n and written(command, at + 3, n)
  if not kind then return {'INVALID', 'arguments of ' .. command} end
  if kind ~= 'any' then
    if wanted[index] and wanted[index] ~= kind then return {'INVALID', 'two types for one key'} end
    wanted[index] = kind
  end
  if command ~= 'HINCRBY' then others = true
  elseif others then return {'INVALID', 'HINCRBY after another command'}
  else
    local field = ARGV[at + 3]
    local name = index .. '\0' .. field
    counters[name] = counters[name] or {index, field, redis.pcall('HGET', KEYS[index], field) or '0', 0}
    counters[name][4] = counters[name][4] + math.abs(tonumber(ARGV[at + 4]))
  end
  at = at + 3 + n
end

local first_event = at
while at <= #ARGV do  -- at most MAX_WORDS / 3
  local n = count(at)
  if not n or n < 2 or n % 2 ~= 0 then return {'INVALID', 'fields of an event'} end
  at = at + 1 + n
end

for index, kind in pairs(wanted) do  -- at most MAX_WRITES + 3
  local actual = actual_type[index] or redis.call('TYPE', KEYS[index]).ok
  if actual ~= 'none' and actual ~= kind then return {'WRONGTYPE', index, actual} end
end
for _, c in pairs(counters) do  -- at most MAX_WRITES
  if not integer(c[3]) or math.abs(tonumber(c[3])) + c[4] >= MAX_COUNTER then return {'RANGE', c[1], c[2]} end
end
at = first_write
while at < first_event do  -- at most MAX_WRITES
  local last = at + 2 + ARGV[at + 2]
  redis.call(ARGV[at], KEYS[tonumber(ARGV[at + 1])], unpack(ARGV, at + 3, last))
  at = last + 1
end
local ids = {}
while at <= #ARGV do  -- at most MAX_WORDS / 3
  local last = at + ARGV[at]
  ids[#ids + 1] = redis.call('XADD', KEYS[1], '*', unpack(ARGV, at + 1, last))
  at = last + 1
end
if #ids > 0 and not due then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[3], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
end
local result = table.concat(ids, ' ')
redis.call('SET', KEYS[2], result, 'PX', 600000)
return {'OK', result}
