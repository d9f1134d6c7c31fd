-- name: SigningKey :one
SELECT *
FROM signing_keys
ORDER BY id
LIMIT 1;

-- name: InsertSigningKey :exec
INSERT INTO signing_keys (id, seed)
VALUES (@id, @seed);

-- name: UserOfJoinCode :one
SELECT users.*
FROM join_codes
JOIN users ON users.id = join_codes.user_id
WHERE join_codes.hash = @hash AND join_codes.expires_at > @now AND users.active = TRUE;

-- name: PersonalToken :one
SELECT tokens.*
FROM tokens
JOIN users ON users.id = tokens.user_id
WHERE tokens.hash = @hash AND tokens.kind = 'personal' AND (tokens.expires_at IS NULL OR tokens.expires_at > @now) AND users.active = TRUE;

-- name: DeleteExpiredJoinCodes :exec
DELETE FROM join_codes
WHERE expires_at <= @now;

-- name: InsertLoginRequest :exec
INSERT INTO login_requests (id, redirect_url, state, challenge, scopes, hostname, expires_at, wrong, wrong_since)
VALUES (@id, @redirect_url, @state, @challenge, @scopes, @hostname, @expires_at, 0, 0);

-- name: LoginRequest :one
SELECT *
FROM login_requests
WHERE id = @id AND expires_at > @now;

-- name: CountWrongOfRequest :exec
UPDATE login_requests
SET wrong = @wrong, wrong_since = @wrong_since
WHERE id = @id;

-- name: DeleteLoginRequest :exec
DELETE FROM login_requests
WHERE id = @id;

-- name: DeleteExpiredLoginRequests :exec
DELETE FROM login_requests
WHERE expires_at <= @now;

-- name: KeepNewestLoginRequests :exec
DELETE FROM login_requests
WHERE id NOT IN (
    SELECT newest.id
    FROM login_requests AS newest
    WHERE newest.expires_at > @now
    ORDER BY newest.expires_at DESC, newest.id
    LIMIT CAST(@kept AS BIGINT)
);

-- name: InsertLoginCode :exec
INSERT INTO login_codes (hash, user_id, token_id, redirect_url, challenge, scopes, hostname, expires_at)
VALUES (@hash, @user_id, @token_id, @redirect_url, @challenge, @scopes, @hostname, @expires_at);

-- name: LoginCode :one
SELECT *
FROM login_codes
WHERE hash = @hash;

-- name: UseLoginCode :exec
UPDATE login_codes
SET session = @session
WHERE hash = @hash;

-- name: DeleteLoginCodesBefore :exec
DELETE FROM login_codes
WHERE expires_at <= @expires_at;

-- name: InsertDevice :exec
INSERT INTO devices (hash, user_code, scopes, hostname, address, made_at, expires_at, polled_at, poll_after, wrong, wrong_since, answer)
VALUES (@hash, @user_code, @scopes, @hostname, @address, @made_at, @expires_at, 0, @poll_after, 0, 0, 'none');

-- name: Device :one
SELECT *
FROM devices
WHERE hash = @hash;

-- name: HasDevice :one
SELECT CAST(COUNT(*) AS BIGINT)
FROM devices
WHERE user_code = @user_code;

-- name: WaitingDevice :one
SELECT *
FROM devices
WHERE user_code = @user_code AND answer = 'none' AND expires_at > @now;

-- name: PollDevice :exec
UPDATE devices
SET polled_at = @polled_at, poll_after = @poll_after
WHERE hash = @hash;

-- name: CountWrongOfDevice :exec
UPDATE devices
SET wrong = @wrong, wrong_since = @wrong_since
WHERE hash = @hash;

-- name: AllowDevice :exec
UPDATE devices
SET answer = 'allowed', user_id = @user_id, token_id = @token_id
WHERE hash = @hash;

-- name: DenyDevice :exec
UPDATE devices
SET answer = 'denied'
WHERE hash = @hash;

-- name: UseDevice :exec
UPDATE devices
SET session = @session, polled_at = @polled_at
WHERE hash = @hash;

-- name: DeleteDevicesBefore :exec
DELETE FROM devices
WHERE expires_at <= @expires_at;

-- name: KeepNewestUnallowedDevices :exec
DELETE FROM devices
WHERE answer <> 'allowed' AND hash NOT IN (
    SELECT newest.hash
    FROM devices AS newest
    WHERE newest.answer <> 'allowed'
    ORDER BY newest.expires_at DESC, newest.hash
    LIMIT CAST(@kept AS BIGINT)
);

-- name: InsertBrowser :exec
INSERT INTO browsers (hash, user_id, token_id, expires_at)
VALUES (@hash, @user_id, @token_id, @expires_at);

-- name: Browser :one
SELECT *
FROM browsers
WHERE hash = @hash AND expires_at > @now;

-- name: DeleteBrowser :exec
DELETE FROM browsers
WHERE hash = @hash;

-- name: DeleteExpiredBrowsers :exec
DELETE FROM browsers
WHERE expires_at <= @now;

-- name: InsertLogin :exec
INSERT INTO logins (session, user_id, token_id, scopes, hostname, used, expires_at)
VALUES (@session, @user_id, @token_id, @scopes, @hostname, 0, @expires_at);

-- name: Login :one
SELECT *
FROM logins
WHERE session = @session;

-- name: RenewLogin :exec
UPDATE logins
SET used = @used, expires_at = @expires_at
WHERE session = @session;

-- name: DeleteLogin :exec
DELETE FROM logins
WHERE session = @session;

-- name: DeleteExpiredLogins :exec
DELETE FROM logins
WHERE expires_at <= @now;

-- name: InsertRefreshToken :exec
INSERT INTO refresh_tokens (hash, session, generation)
VALUES (@hash, @session, @generation);

-- name: RefreshToken :one
SELECT *
FROM refresh_tokens
WHERE hash = @hash;

-- name: UseRefreshToken :exec
UPDATE refresh_tokens
SET used_at = @used_at
WHERE hash = @hash;

-- name: LoginOfToken :one
SELECT *
FROM logins
WHERE session IN (
    SELECT refresh_tokens.session FROM refresh_tokens WHERE refresh_tokens.hash = @hash
    UNION ALL
    SELECT tokens.session FROM tokens WHERE tokens.hash = @hash
);

-- name: DeleteLoginsOfUser :exec
DELETE FROM logins
WHERE user_id = @user_id;

-- name: DeleteBrowsersOfUser :exec
DELETE FROM browsers
WHERE user_id = @user_id;

-- name: DeleteLoginCodesOfUser :exec
DELETE FROM login_codes
WHERE user_id = @user_id;

-- name: DeleteDevicesOfUser :exec
DELETE FROM devices
WHERE user_id = CAST(@user_id AS TEXT);

-- name: DeleteAccessTokensOfNoLogin :exec
DELETE FROM tokens
WHERE kind = 'access' AND NOT EXISTS (SELECT 1 FROM logins WHERE logins.session = tokens.session);
