-- Whose API key asks: `key`, its fields, of which those in ARGV from `own_from` to `own_to` begin at the ninth; nothing
-- where the caller has verified who asks.
local key
if ARGV[2] ~= '' then
  key = redis.call('HMGET', KEYS[2], 'status', 'digest', 'role', 'expires_at', 'addresses', 'permissions', 'used_at',
    'rates', unpack(ARGV, own_from, own_to))
  -- Keys expire by the real clock: one that stands still keeps no secret alive.
  if key[1] ~= 'active' or key[2] ~= ARGV[2] or (key[4] and tonumber(key[4]) <= real) then return {'KEY'} end
  if (key[5] or '[]') ~= ARGV[6] then return {'ADDRESS', key[5] or '[]'} end
  local role = key[3] or ''
  local may = string.find(ARGV[3], ' ' .. role .. ' ', 1, true)
    or string.find(redis.call('HGET', KEYS[1], 'role:' .. role) or '', '"usage:write"', 1, true)
  if not may or (key[6] and not string.find(key[6], '"usage:write"', 1, true)) then return {'ROLE'} end
end
