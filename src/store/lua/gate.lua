-- gate: who is let in, and how often. Stands before every script that a caller's request runs.
local MINUTE = 60000

-- the account, if it lives and the token is neither older than its 'tv' nor revoked ('rv' says that there are such tokens), by its id or with
-- its family, whose name stands before the '-' of the id: one read brings what every check needs. {role, disabled, tv, rv, requests' arrival time, turns' arrival time, fence counter, last touched}
local function account_of(key, revoked, token, issued)
  local a = redis.call('HMGET', key, 'role', 'dis', 'tv', 'rv', 'rr', 'rt', 'gen', 'lt')
  if not a[1] or a[2] == '1' then return nil end
  a[7] = tonumber(a[7] or '0') or 0
  if string.sub(token, 1, 2) == 'k:' then
    -- an API key (keys.lua) is good while it stands in the account, whatever became of logins
    local ends = string.match(redis.call('HGET', key, token) or '', '^%d+|(%d+)|')
    return ends and tonumber(ends) > now and a or nil
  end
  if tonumber(issued) < tonumber(a[3] or '0') then return nil end
  if a[4] then
    if redis.call('ZSCORE', revoked, token) then return nil end
    local family = string.match(token, '^(%x+)%-')
    if family and redis.call('ZSCORE', revoked, family) then return nil end
  end
  return a
end

-- GCRA: a minute's worth may come at once (half a millisecond forgives what sums of fractions are off by).
-- Returns ms to wait (0: let in), the arrival time to store, and how many ms it is ahead of now: what is left of the minute's worth follows from it
local function due(at, per_minute)
  at = math.max(tonumber(at or '0') or 0, now) + MINUTE / tonumber(per_minute)
  -- three digits behind the point, printed as whole numbers: fractions take several times as long
  local thousandths = math.floor(at * 1000 + 0.5)
  return math.max(0, math.ceil(at - now - MINUTE - 0.5)), string.format('%d.%03d', math.floor(thousandths / 1000), thousandths % 1000), at - now
end

-- the account of a caller who is let in, the request counted ('ahead': as due says); or nil and what is said instead
local function let_in(key, revoked, token, issued, per_minute)
  local a = account_of(key, revoked, token, issued)
  if not a then return nil, {'REVOKED'} end
  local wait, at, ahead = due(a[5], per_minute)
  if wait > 0 then return nil, {'LIMITED', wait} end
  redis.call('HSET', key, 'rr', at)
  a.ahead = ahead
  return a
end
