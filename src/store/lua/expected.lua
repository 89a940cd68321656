-- expected: what a client says it knows of its session (If-Match). Stands before scripts that change a conversation for a caller, after session.

-- {'MOVED', session, fence, version} with what there is, if that is not what the client knows: another session, another version, or fewer
-- leases than it has seen. A client that says nothing expects nothing.
local function moved(s, fence, session, seen_fence, version)
  if session == '' then return nil end
  local sid, ver = s and s.sid or '', s and s.ver or 0
  if sid == session and ver == tonumber(version) and fence >= tonumber(seen_fence) then return nil end
  return {'MOVED', sid, fence, ver}
end

