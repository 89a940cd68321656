-- clock: Redis's clock is the only one that decides (leases, TTLs, rates); replicas' clocks may differ.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
-- As commands are given it: of a number that a script hands to a command Redis 7.0 prints 17 digits, which for a time takes longer than the command.
local now_text = string.format('%d', now)

