-- From state[3], the clock of the tenant as its limits hash says it: `real`, the time in ms, and `now`, that of the
-- tenant's clock, in ms; `micros` is the same in µs.
local clock, time = state[3] or '', redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local real = math.floor(micros / 1000)
if string.sub(clock, 1, 1) == '=' then micros = string.sub(clock, 2) * 1000
elseif clock ~= '' then micros = micros + clock * 1000 end
local now = math.floor(micros / 1000)
