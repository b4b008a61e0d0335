-- What the counters of quotas are: a hash `sum`, `paid` (units that credits paid), `told` (the highest percentage that an
-- event said), `opened` (what was paid when it was opened last). And credits: a hash of grants, `amount|left|priority|starts|expires`, both times in epoch ms.

-- The grants that are good at the time `now`, in the order in which they are burned, and how much they have left.
local function grants_of(credits, now)
  local all, grants, left = redis.call('HGETALL', credits), {}, 0
  for at = 1, #all, 2 do  -- at most as many as a meter may have grants
    local amount, rest, priority, starts, expires = string.match(all[at + 1], '^(%d+)|(%d+)|(%d+)|(%d+)|(%d*)$')
    rest = tonumber(rest)
    if rest and rest > 0 and tonumber(starts) <= now and (expires == '' or tonumber(expires) > now) then
      grants[#grants + 1] = {id = all[at], amount = amount, left = rest, priority = tonumber(priority),
        starts = tonumber(starts), expires = tonumber(expires) or math.huge}
      left = left + rest
    end
  end
  table.sort(grants, function(a, b)
    if a.priority ~= b.priority then return a.priority < b.priority end
    if a.expires ~= b.expires then return a.expires < b.expires end
    if a.starts ~= b.starts then return a.starts < b.starts end
    return a.id < b.id
  end)
  return grants, left
end

-- Pay up to `units` from the grants, in which this is noted too; gives how many were paid.
local function burn(credits, grants, units)
  local paid = 0
  for _, grant in ipairs(grants) do  -- as many as there are
    local part = math.min(grant.left, units - paid)
    if part > 0 then
      paid, grant.left = paid + part, grant.left - part
      redis.call('HSET', credits, grant.id, string.format('%s|%.0f|%d|%.0f|%s', grant.amount, grant.left,
        grant.priority, grant.starts, grant.expires < math.huge and string.format('%.0f', grant.expires) or ''))
    end
  end
  return paid
end

-- Say each of the `percents` of `limit` that a quota has newly reached: one event each in the stream of the owner, who
-- is made due in the set. `said` is the beginning of the event's data. Gives whether there was something to say.
local function tell(counter, used, limit, percents, told, said, actor, now, events, due, owner)
  local highest = tonumber(told or 0)
  local reached = highest
  for percent in string.gmatch(percents, '%d+') do  -- at most 10
    percent = tonumber(percent)
    if percent > highest and used * 100 >= limit * percent then
      redis.call('XADD', events, '*', 'name', 'quota.threshold_reached', 'data', said .. percent .. '}',
        'at', string.format('%.0f', now), 'actor', actor, 'request', '', 'changes', '{}')
      reached = math.max(reached, percent)
    end
  end
  if reached == highest then return false end
  redis.call('HSET', counter, 'told', reached)
  local time = redis.call('TIME')
  redis.call('ZADD', due, 'NX', time[1] * 1000 + math.floor(time[2] / 1000), owner)
  return true
end
