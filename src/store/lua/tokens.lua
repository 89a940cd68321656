-- tokens: families of refresh tokens, and tokens that are revoked. Stands before every script that opens, rotates or ends one, after clock.
-- A family is one field of its user's hash: '<born>|<ends>|<rotated>|<digest of the good token>|<digest of the one before>|<the good one, sealed for
-- whoever has the one before>'; the last two are '-' in a family that was never rotated. Born is when the user proved who they are: tokens
-- that the account has voided since ('tv') take their family with them.
local REVOKED_MAX = 1024   -- limits::REVOKED_IDS_PER_USER_MAX

-- the family, or nil where there is none or its time is over
local function family_of(raw)
  if not raw then return nil end
  local born, ends, rotated, good, before, sealed = string.match(raw, '^(%d+)|(%d+)|(%d+)|(%x+)|([%x-]+)|([^|]+)$')
  if not born or tonumber(ends) <= now then return nil end
  return {born = tonumber(born), ends = tonumber(ends), rotated = tonumber(rotated), good = good, before = before, sealed = sealed}
end

-- writes a family; the hash lives as long as the newest of them
local function keep_family(key, name, f)
  redis.call('HSET', key, name, string.format('%d|%d|%d|%s|%s|%s', f.born, f.ends, f.rotated, f.good, f.before, f.sealed))
  redis.call('PEXPIRE', key, math.max(redis.call('PTTL', key), f.ends - now, 1))
end

-- lets nobody in any more with a token of this id, or of this family, for so long as one can be valid
local function revoke(account, revoked, id, ends)
  redis.call('ZREMRANGEBYSCORE', revoked, '-inf', now)
  redis.call('ZADD', revoked, ends, id)
  if redis.call('ZCARD', revoked) > REVOKED_MAX then
    -- nobody's list grows without a bound: all tokens of this user are void instead
    redis.call('DEL', revoked)
    redis.call('HDEL', account, 'rv')
    redis.call('HSET', account, 'tv', now + 1)
    return
  end
  redis.call('HSET', account, 'rv', '1')
  redis.call('PEXPIRE', revoked, math.max(redis.call('PTTL', revoked), ends - now, 1))
end

