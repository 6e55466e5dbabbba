// PUT /rules/{id} with net/http and encoding/json alone; everything is kept in memory.
// PORT, MISTAKE=name (one thing wrong), JITTER=50-300 (ms), LAG=seconds, RATE=requests/s, SHARE=1.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	mrand "math/rand"
	"mime"
	"net"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

var theMistake = os.Getenv("MISTAKE")

func mistake(name string) bool { return theMistake == name }

// problem is an answer that is no success.
type problem struct {
	status        int
	code, message string
}

func (p *problem) Error() string { return p.message }

var forbidden = &problem{403, "forbidden", "This API key does not have the required permission."}

func notFound(id string) *problem {
	return &problem{404, "resource_not_found", fmt.Sprintf("Rule with id '%s' was not found.", id)}
}

// version of a rule, for reads that lag.
type version struct {
	at   time.Time
	rule *Rule
}

// request made under an idempotency key.
type request struct {
	rule   string
	body   [sha256.Size]byte
	at     time.Time
	done   chan struct{} // closed when answer is there
	answer *Rule
	err    *problem
}

type server struct {
	keys     map[string]*credential
	accounts map[string]*account
	clock    Clock
	lag      time.Duration
	jitter   [2]int
	rate     int
	share    bool

	mu       sync.Mutex // everything below
	rules    map[string]*Rule
	history  map[string][]version
	requests map[string]*request
	recent   []time.Time
}

// ---- answers

func (s *server) send(w http.ResponseWriter, status int, v interface{}) {
	if s.jitter[1] > 0 {
		time.Sleep(time.Duration(s.jitter[0]+mrand.Intn(s.jitter[1]-s.jitter[0]+1)) * time.Millisecond)
	}
	out, err := json.Marshal(v)
	if err != nil {
		log.Print(err)
		status, out = 500, []byte(`{"error":{"code":"internal_error","message":"Internal error."}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(out, '\n'))
}

func (s *server) fail(w http.ResponseWriter, p *problem) {
	if p.status == 401 {
		w.Header().Set("WWW-Authenticate", `ApiKey realm="rules"`)
	}
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	body.Error.Code, body.Error.Message = p.code, p.message
	s.send(w, p.status, body)
}

func (s *server) success(w http.ResponseWriter, status int, data interface{}) {
	s.send(w, status, struct {
		RequestID string      `json:"request_id"`
		Data      interface{} `json:"data"`
	}{w.Header().Get("X-Request-ID"), data})
}

// ---- middleware: request id, panics, rate

var visible = regexp.MustCompile(`^[!-~]{1,256}$`)

func requestID(r *http.Request) string {
	if given := r.Header.Values("X-Request-ID"); len(given) == 1 && visible.MatchString(given[0]) {
		return given[0]
	}
	if mistake("rid-by-the-second") {
		return fmt.Sprintf("req_%x", time.Now().Unix())
	}
	b := make([]byte, 12)
	rand.Read(b)
	return "req_" + hex.EncodeToString(b)
}

func (s *server) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-ID", requestID(r))
		defer func() {
			if e := recover(); e != nil {
				log.Print(e)
				s.fail(w, &problem{500, "internal_error", "Internal error."})
			}
		}()
		if s.rate > 0 && !strings.HasPrefix(r.URL.Path, "/ops/") && s.tooMany() {
			w.Header().Set("Retry-After", "1")
			s.fail(w, &problem{429, "rate_limited", "Too many requests."})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) tooMany() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for len(s.recent) > 0 && now.Sub(s.recent[0]) > time.Second {
		s.recent = s.recent[1:]
	}
	if len(s.recent) >= s.rate {
		return true
	}
	s.recent = append(s.recent, now)
	return false
}

// ---- who may

func (s *server) authenticate(r *http.Request) (*credential, *problem) {
	given := r.Header.Values("Authorization")
	if len(given) == 1 && strings.HasPrefix(given[0], "ApiKey ") {
		if c := s.keys[strings.TrimPrefix(given[0], "ApiKey ")]; c != nil && !c.revoked {
			return c, nil
		}
	}
	return nil, &problem{401, "unauthorized", "Missing or invalid API key."}
}

// authorize finds the rule for a caller who holds the scope for it.
func (s *server) authorize(c *credential, scope, id string) (*Rule, *problem) {
	resources, ok := c.resources(scope)
	if !ok {
		return nil, forbidden
	}
	allowed := false
	for _, res := range resources {
		allowed = allowed || res == "*" || res == id
	}
	if mistake("resource-substring") && strings.Contains(strings.Join(resources, ","), id) {
		allowed = true
	}
	if !allowed {
		return nil, forbidden
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rule := s.rules[id]
	if rule == nil {
		return nil, notFound(id)
	}
	if rule.org != c.org {
		return nil, forbidden
	}
	return rule, nil
}

// ---- /api/v1/rules/{id} and /api/v1/rules/{id}/trigger

func (s *server) route(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/api/v1/rules/")
	allow := "GET, HEAD, PUT"
	handle := map[string]func(http.ResponseWriter, *http.Request, *credential, string){"GET": s.get, "HEAD": s.get, "PUT": s.put}[r.Method]
	if rest := strings.TrimSuffix(id, "/trigger"); rest != id && !strings.Contains(rest, "/") {
		id, allow, handle = rest, "POST", nil
		if r.Method == http.MethodPost {
			handle = s.trigger
		}
	}
	if id == "" || strings.Contains(id, "/") {
		s.fail(w, notFound(id))
		return
	}
	if handle == nil {
		w.Header().Set("Allow", allow)
		s.fail(w, &problem{405, "method_not_allowed", "Only " + allow + " are supported here."})
		return
	}
	c, p := s.authenticate(r)
	if p != nil {
		s.fail(w, p)
		return
	}
	handle(w, r, c, id)
}

func (s *server) get(w http.ResponseWriter, r *http.Request, c *credential, id string) {
	rule, p := s.authorize(c, "READ_RULES", id)
	if p != nil {
		s.fail(w, p)
		return
	}
	s.mu.Lock()
	for i, v := range s.history[id] {
		if i == 0 || !v.at.After(time.Now().Add(-s.lag)) {
			rule = v.rule
		}
	}
	s.mu.Unlock()
	s.success(w, 200, rule)
}

func (s *server) trigger(w http.ResponseWriter, r *http.Request, c *credential, id string) {
	rule, p := s.authorize(c, "TRIGGER_RULES", id)
	if p == nil && rule.Status != "enabled" {
		p = &problem{409, "rule_disabled", "The rule is disabled."}
	}
	if p != nil {
		s.fail(w, p)
		return
	}
	s.success(w, 202, map[string]string{"rule_id": id, "status": "PENDING"})
}

func (s *server) put(w http.ResponseWriter, r *http.Request, c *credential, id string) {
	if mistake("replay-before-scope") {
		s.mu.Lock()
		q := s.requests[c.org+"\n"+r.Header.Get("Idempotency-Key")]
		s.mu.Unlock()
		if q != nil && q.rule == id && q.answer != nil && s.clock.Now().Sub(q.at) < 24*time.Hour {
			s.success(w, 200, q.answer)
			return
		}
	}
	if _, p := s.authorize(c, "UPDATE_RULES", id); p != nil {
		s.fail(w, p)
		return
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		s.fail(w, &problem{415, "unsupported_media_type", "The body must be application/json."})
		return
	}
	raw, tooLarge, err := readAll(r.Body, 1<<20)
	if tooLarge {
		s.fail(w, &problem{413, "body_too_large", "The body exceeds 1 MiB."})
		return
	} else if err != nil {
		s.fail(w, &problem{400, "invalid_request", "The body could not be read."})
		return
	}
	rule, p := s.once(r.Header.Get("Idempotency-Key"), c, id, raw)
	if p != nil {
		s.fail(w, p)
		return
	}
	s.success(w, 200, rule)
}

// once executes the update, or gives what the same key has been answered before.
func (s *server) once(key string, c *credential, id string, raw []byte) (*Rule, *problem) {
	if key == "" {
		return s.update(c, id, raw)
	}
	if len(key) > 255 {
		return nil, &problem{400, "invalid_idempotency_key", "Idempotency-Key is longer than 255 characters."}
	}
	if mistake("key-64") && len(key) > 64 {
		key = key[:64]
	}
	window := 24 * time.Hour
	if mistake("window-12h") {
		window = 12 * time.Hour
	}
	space, body := c.org, sha256.Sum256(raw)
	switch {
	case mistake("keys-global"):
		space = ""
	case mistake("allowed-key-per-credential"):
		space = c.id
	}
	s.mu.Lock()
	q := s.requests[space+"\n"+key]
	if q == nil || s.clock.Now().Sub(q.at) >= window {
		q = &request{rule: id, body: body, at: s.clock.Now(), done: make(chan struct{})}
		s.requests[space+"\n"+key] = q
		s.mu.Unlock()
		defer func() {
			if q.answer == nil && q.err == nil { // a panic: let the key be used again
				s.mu.Lock()
				delete(s.requests, space+"\n"+key)
				s.mu.Unlock()
			}
			if !(mistake("key-stuck") && q.err != nil) {
				close(q.done)
			}
		}()
		if mistake("allowed-in-flight-409") {
			time.Sleep(50 * time.Millisecond)
		}
		q.answer, q.err = s.update(c, id, raw)
		return q.answer, q.err
	}
	s.mu.Unlock()
	if q.rule != id && !mistake("key-without-rule") {
		return nil, &problem{409, "idempotency_key_conflict", "This Idempotency-Key was used on another rule."}
	}
	if q.body != body {
		return nil, &problem{400, "idempotency_key_reused", "This Idempotency-Key was used with another body."}
	}
	wait := 20 * time.Second
	if mistake("allowed-in-flight-409") {
		wait = 0
	} else if mistake("key-stuck") {
		wait = time.Second
	}
	select {
	case <-q.done:
	default:
		select {
		case <-q.done:
		case <-time.After(wait):
			return nil, &problem{409, "idempotency_key_in_use", "A request with this Idempotency-Key is in progress."}
		}
	}
	return q.answer, q.err
}

func (s *server) update(c *credential, id string, raw []byte) (*Rule, *problem) {
	b, err := decode(raw)
	if err != nil {
		return nil, &problem{400, "invalid_request", strings.TrimPrefix(err.Error(), ".")}
	}
	v := &validator{accounts: s.accounts, org: c.org}
	if v.body(b); v.bad != nil {
		return nil, v.bad
	}
	spoil(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if target := s.rules[b.id]; target != nil && target.org == c.org { // MISTAKE=body-id only
		id = b.id
	}
	old := s.rules[id]
	next := *old
	next.Nickname, next.Description, next.Trigger, next.Steps = b.Nickname, b.Description, b.Trigger, b.Steps
	next.Status = "disabled"
	next.UpdatedAt = s.clock.Now()
	switch {
	case mistake("slice-alias"): // the old version's backing array, which earlier answers share
		next.Steps = append(old.Steps[:0], b.Steps...)
	case mistake("unchanged-shortcut") && reflect.DeepEqual([]interface{}{old.Nickname, old.Description, old.Trigger, old.Steps},
		[]interface{}{next.Nickname, next.Description, next.Trigger, next.Steps}):
		return old, nil
	case mistake("trigger-switch"):
		switch next.Status = old.Status; *b.Trigger.Type {
		case "SCHEDULED", "MANUAL":
			next.Status = "disabled"
		}
	case mistake("created-again") && old.Status == "enabled":
		next.CreatedAt = next.UpdatedAt
	case mistake("read-modify-write"): // the lock is held for each half, not for both
		half := *old
		half.Nickname, half.Description, half.Status = b.Nickname, b.Description, "disabled"
		s.publish(&half)
		s.mu.Unlock()
		time.Sleep(3 * time.Millisecond)
		s.mu.Lock()
		next = *s.rules[id]
		next.Trigger, next.Steps, next.UpdatedAt = b.Trigger, b.Steps, s.clock.Now()
	case mistake("disabled-later") && old.Status == "enabled":
		stored := next
		stored.Status = "enabled"
		s.publish(&stored)
		go func() {
			time.Sleep(120 * time.Millisecond)
			s.setStatus(id, "disabled")
		}()
		return &next, nil
	case mistake("allowed-local-time"):
		next.UpdatedAt = next.UpdatedAt.In(time.FixedZone("", 2*3600))
	}
	s.publish(&next)
	return &next, nil
}

// publish makes a version the current one; mu is held.
func (s *server) publish(r *Rule) {
	s.rules[r.ID] = r
	if s.lag > 0 {
		s.history[r.ID] = append(s.history[r.ID], version{time.Now(), r})
	}
}

func (s *server) setStatus(id, status string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.rules[id]
	if old == nil {
		return false
	}
	next := *old
	next.Status = status
	s.publish(&next)
	return true
}

// ---- control hooks, for whoever tests: a human enables, the clock moves, the world begins again

func (s *server) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.Reset()
	s.rules, s.history, s.requests = seedRules(s.share), map[string][]version{}, map[string]*request{}
	for _, r := range s.rules {
		s.publish(r)
	}
}

func (s *server) ops(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() || r.Method != http.MethodPost {
		s.fail(w, notFound(r.URL.Path))
		return
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/ops/"); {
	case path == "reset":
		s.reset()
	case path == "clock":
		var b struct {
			AdvanceSeconds json.Number `json:"advance_seconds"` // a number, or one in a string
		}
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			s.fail(w, &problem{400, "invalid_request", "advance_seconds expected"})
			return
		}
		f, _ := b.AdvanceSeconds.Float64()
		s.clock.Advance(f)
	case strings.HasPrefix(path, "rules/") && strings.HasSuffix(path, "/enable") &&
		s.setStatus(strings.TrimSuffix(strings.TrimPrefix(path, "rules/"), "/enable"), "enabled"):
	default:
		s.fail(w, notFound(path))
		return
	}
	s.send(w, 200, map[string]bool{"ok": true})
}

func main() {
	mrand.Seed(time.Now().UnixNano())
	number := func(name string) float64 { f, _ := strconv.ParseFloat(os.Getenv(name), 64); return f }
	share := os.Getenv("SHARE") != ""
	s := &server{keys: loadCredentials(), accounts: loadAccounts(share), share: share, rate: int(number("RATE")),
		lag: time.Duration(number("LAG") * float64(time.Second))}
	if from, to, ok := strings.Cut(os.Getenv("JITTER"), "-"); ok {
		s.jitter[0], _ = strconv.Atoi(from)
		s.jitter[1], _ = strconv.Atoi(to)
	}
	s.reset()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/rules/", s.route)
	mux.HandleFunc("/ops/", s.ops)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, notFound(r.URL.Path)) })
	port := os.Getenv("PORT")
	if port == "" {
		port = "7301"
	}
	log.Fatal((&http.Server{Addr: "127.0.0.1:" + port, Handler: s.wrap(mux), ReadHeaderTimeout: 30 * time.Second}).ListenAndServe())
}
