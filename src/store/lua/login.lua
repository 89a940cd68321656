-- login: a family of refresh tokens begins for somebody who has proved who they are. Repeating it is safe.
-- KEYS 1 account 2 revoked 3 refresh
-- ARGV 1 when they proved it 2 family 3 digest of its first token 4 ms that it lasts 5 families that a user may have
-- returns {'OK'} | {'REVOKED'} the account was shut, or its tokens were voided, meanwhile
local a = redis.call('HMGET', KEYS[1], 'role', 'dis', 'tv', 'rv')
local born = tonumber(ARGV[1])
if not a[1] or a[2] == '1' or born < tonumber(a[3] or '0') then return {'REVOKED'} end
-- what has ended goes, and of too many the one that was used longest ago
local all, left = redis.call('HGETALL', KEYS[3]), {}
for i = 1, #all, 2 do
  local f = family_of(all[i + 1])
  if all[i] == ARGV[2] then
    -- this very login, whose answer was lost
  elseif f then
    left[#left + 1] = {name = all[i], rotated = f.rotated}
  else
    redis.call('HDEL', KEYS[3], all[i])
  end
end
table.sort(left, function(one, other) return one.rotated < other.rotated end)
for i = 1, #left - tonumber(ARGV[5]) + 1 do redis.call('HDEL', KEYS[3], left[i].name) end
keep_family(KEYS[3], ARGV[2], {born = born, ends = now + tonumber(ARGV[4]), rotated = now, good = ARGV[3], before = '-', sealed = '-'})
-- the gate need not look for revoked tokens where all are forgotten
if a[4] and redis.call('EXISTS', KEYS[2]) == 0 then redis.call('HDEL', KEYS[1], 'rv') end
return {'OK'}
