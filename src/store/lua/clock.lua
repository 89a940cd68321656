-- clock: Redis's clock is the only one that decides (leases, TTLs, rates); replicas' clocks may differ.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)

