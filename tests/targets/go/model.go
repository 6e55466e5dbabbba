package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// ---- shapes. Pointers tell "missing" from the zero value.

type Rule struct { // a version; never changed once it is published
	ID          string    `json:"id"`
	Nickname    *string   `json:"nickname"`
	Description *string   `json:"description"`
	Status      string    `json:"status"`
	Trigger     *Trigger  `json:"trigger"`
	Steps       []Step    `json:"steps"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	org         string
}

type Body struct {
	Nickname    *string  `json:"nickname"`
	Description *string  `json:"description"`
	Status      *string  `json:"status"`
	Trigger     *Trigger `json:"trigger"`
	Steps       []Step   `json:"steps"`
	id          string   // MISTAKE=body-id only
}

type Trigger struct {
	Type         *string  `json:"type"`
	ScheduleType *string  `json:"schedule_type,omitempty"`
	StartDate    *Instant `json:"start_date,omitempty"`
	AccountID    *string  `json:"account_id"`
}

type Step struct {
	Conditions *Tree    `json:"conditions"`
	Actions    []Action `json:"actions"`
}

type Tree struct {
	Condition *Condition `json:"condition,omitempty"`
	Any       []*Tree    `json:"any,omitempty"`
	All       []*Tree    `json:"all,omitempty"`
}

type Condition struct {
	Fact      *string `json:"fact"`
	Operator  *string `json:"operator"`
	Value     *Number `json:"value"`
	ValueFact *string `json:"value_fact"`
	Params    *Params `json:"params,omitempty"`
}

type Params struct {
	AccountID *string `json:"account_id"`
}

type Action struct {
	Type                        *string     `json:"type"`
	AmountInCents               *int64      `json:"amount_in_cents,omitempty"`
	PercentageValue             *Number     `json:"percentage_value,omitempty"`
	PercentageTarget            *string     `json:"percentage_target,omitempty"`
	NextPaymentMinimumAccount   *AccountRef `json:"next_payment_minimum_account,omitempty"`
	CurrentBalanceAccount       *AccountRef `json:"current_balance_account,omitempty"`
	LastStatementBalanceAccount *AccountRef `json:"last_statement_balance_account,omitempty"`
	Source                      *AccountRef `json:"source"`
	Destination                 *AccountRef `json:"destination"`
	GroupIndex                  *int64      `json:"group_index"`
	UpToEnabled                 *bool       `json:"up_to_enabled,omitempty"`
	IsDirectDeposit             Flag        `json:"is_direct_deposit"`
	Limit                       *Limit      `json:"limit,omitempty"`
	AchDescription              *string     `json:"ach_description,omitempty"`
}

type AccountRef struct {
	ID   *string `json:"id"`
	Type *string `json:"type"`
	Name *string `json:"name,omitempty"`
}

type Limit struct {
	Period        *string `json:"period"`
	AmountInCents *int64  `json:"amount_in_cents"`
}

// Flag is a boolean with a default; null is not one.
type Flag bool

func (f *Flag) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case "true":
		*f = true
	case "false":
		*f = false
	default:
		return errors.New("true or false expected")
	}
	return nil
}

// Number keeps the digits that were sent. (A plain json.Number would take the string "12" as well.)
type Number string

func (n *Number) UnmarshalJSON(b []byte) error {
	if mistake("number-in-string") {
		b = bytes.Trim(b, `"`)
		if _, err := strconv.ParseFloat(string(b), 64); err != nil {
			return err
		}
	}
	if b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return errors.New("number expected")
	}
	if f, err := strconv.ParseFloat(string(b), 64); err != nil || len(b) > 40 || (f == 0 && bytes.ContainsAny(b, "123456789") && !bytes.HasPrefix(b, []byte("0e"))) {
		return errors.New("number out of range")
	}
	*n = Number(b)
	return nil
}
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }
func (n Number) float() float64               { f, _ := strconv.ParseFloat(string(n), 64); return f }

// Instant is an RFC 3339 date-time, normalized to UTC. time.Time alone would also take 9:00:00Z and 09:00:00,5Z.
type Instant struct{ time.Time }

var rfc3339 = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)"$`)

func (i *Instant) UnmarshalJSON(b []byte) error {
	if !rfc3339.Match(b) {
		return errors.New("RFC 3339 date-time expected")
	}
	t, err := time.Parse(`"`+time.RFC3339+`"`, string(b))
	i.Time = t.UTC()
	return err
}

// ---- decoding

// decode is json.Unmarshal into a Body without its leniencies: names are matched regardless of case there, repeated
// objects are merged, and what is no Unicode becomes U+FFFD.
func decode(raw []byte) (*Body, error) {
	b := new(Body)
	if !mistake("replacement-character") {
		if !utf8.Valid(raw) {
			return nil, errors.New("the body is not valid UTF-8")
		}
		if loneSurrogate(raw) {
			return nil, errors.New("the body holds an unpaired surrogate")
		}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if mistake("first-value-only") { // whatever follows it in the body is never read
		var first json.RawMessage
		if dec.Decode(&first) == nil {
			raw, dec = first, json.NewDecoder(bytes.NewReader(first))
		}
	}
	if !json.Valid(raw) {
		return nil, errors.New("the body is not valid JSON")
	}
	if mistake("allowed-unknown-ignored") {
		raw = withoutUnknown(raw)
		dec = json.NewDecoder(bytes.NewReader(raw))
	}
	if err := checkNames(dec, reflect.TypeOf(*b), "", 0); err != nil {
		return nil, err
	}
	err := json.Unmarshal(raw, b)
	if te := (*json.UnmarshalTypeError)(nil); errors.As(err, &te) {
		if mistake("type-errors-ignored") {
			return b, nil // "the rest has been decoded"
		}
		return nil, fmt.Errorf("%s: %s not expected here", te.Field, te.Value)
	}
	if mistake("body-id") {
		var x struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(raw, &x) == nil {
			b.id = x.ID
		}
	}
	return b, err
}

// checkNames walks the tokens of a value: every name of an object is one of the fields of t, exactly and once.
func checkNames(dec *json.Decoder, t reflect.Type, path string, depth int) error {
	if depth > 200 {
		return errors.New("nested too deeply")
	}
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	for t != nil && t.Kind() == reflect.Ptr {
		t = t.Elem()
	}
	switch tok {
	case json.Delim('['):
		var elem reflect.Type
		if t != nil && t.Kind() == reflect.Slice {
			elem = t.Elem()
		}
		for dec.More() {
			if err := checkNames(dec, elem, path+"[]", depth+1); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	case json.Delim('{'):
		seen := map[string]bool{}
		for dec.More() {
			tok, err := dec.Token()
			if err != nil {
				return err
			}
			name := tok.(string)
			if seen[name] && !mistake("duplicates-merged") {
				return fmt.Errorf("%s: %q is given twice", path, name)
			}
			seen[name] = true
			var field reflect.Type
			if t != nil && t.Kind() == reflect.Struct {
				if field = fieldType(t, name); field == nil && !(mistake("body-id") && name == "id") {
					return fmt.Errorf("%s: unknown property %q", path, clip(name))
				}
			}
			if err := checkNames(dec, field, path+"."+clip(name), depth+1); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

func fieldType(t reflect.Type, name string) reflect.Type {
	for i := 0; i < t.NumField(); i++ {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag != "" && (tag == name || mistake("case-insensitive-names") && strings.EqualFold(tag, name)) {
			return t.Field(i).Type
		}
	}
	return nil
}

// withoutUnknown is for MISTAKE=allowed-unknown-ignored: the body without what its shapes do not know.
func withoutUnknown(raw []byte) []byte {
	var prune func(v interface{}, t reflect.Type)
	prune = func(v interface{}, t reflect.Type) {
		for t != nil && t.Kind() == reflect.Ptr {
			t = t.Elem()
		}
		switch v := v.(type) {
		case map[string]interface{}:
			for name, x := range v {
				if t != nil && t.Kind() == reflect.Struct && fieldType(t, name) == nil {
					delete(v, name)
				} else if t != nil && t.Kind() == reflect.Struct {
					prune(x, fieldType(t, name))
				}
			}
		case []interface{}:
			for _, x := range v {
				if t != nil && t.Kind() == reflect.Slice {
					prune(x, t.Elem())
				}
			}
		}
	}
	var v interface{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	dec.Decode(&v)
	prune(v, reflect.TypeOf(Body{}))
	raw, _ = json.Marshal(v)
	return raw
}

func loneSurrogate(raw []byte) bool {
	unit := func(i int) rune { // the \uXXXX at i, or -1
		if i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
			if n, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16); err == nil {
				return rune(n)
			}
		}
		return -1
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		r := unit(i)
		if utf16.IsSurrogate(r) {
			if utf16.DecodeRune(r, unit(i+6)) == utf8.RuneError {
				return true
			}
			i += 6
		}
		if r >= 0 {
			i += 5
		} else {
			i++
		}
	}
	return false
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// ---- validation

var (
	statuses  = words("enabled disabled")
	triggers  = words("SCHEDULED ON_FUNDS_TRANSFERRED MANUAL")
	schedules = words("ONE_TIME DAILY WEEKLY BI_WEEKLY MONTHLY EVERY_OTHER_WEEK")
	actions   = words("fixed_amount percentage top_up round_down next_payment_minimum total_amount_due last_statement_balance percentage_liability_balance")
	refTypes  = words("income_source pod external_account")
	periods   = words("PER_TRANSFER PER_WEEK PER_MONTH PER_YEAR")
	targets   = words("incoming_amount source_account")
	facts     = words("TRANSFER_AMOUNT BALANCE DATE")
	values    = words("TRANSFER_AMOUNT BALANCE DATE LAST_DAY_OF_MONTH NEXT_PAYMENT_MINIMUM_AMOUNT LAST_STATEMENT_BALANCE")
	operators = words("EQUALS NOT_EQUALS GREATER_THAN LESS_THAN GREATER_THAN_OR_EQUAL LESS_THAN_OR_EQUAL")
)

func words(s string) []string { return strings.Fields(s) }

// validator keeps the first thing that is wrong.
type validator struct {
	accounts map[string]*account
	org      string
	bad      *problem
}

func (v *validator) fail(path, format string, args ...interface{}) {
	if v.bad == nil {
		v.bad = &problem{400, "invalid_request", path + ": " + fmt.Sprintf(format, args...)}
	}
}

func (v *validator) require(present bool, path string) bool {
	if !present {
		v.fail(path, "required")
	}
	return present
}

func (v *validator) oneOf(s *string, allowed []string, path string) {
	if !v.require(s != nil, path) {
		return
	}
	for _, a := range allowed {
		if a == *s {
			return
		}
	}
	v.fail(path, "not one of %s", strings.Join(allowed, ", "))
}

func (v *validator) cents(n *int64, path string) {
	if v.require(n != nil, path) && (*n < 0 || *n > 1<<53-1 || *n == 0 && mistake("allowed-zero-refused")) {
		v.fail(path, "between 0 and 2^53-1 expected")
	}
}

func (v *validator) percent(n *Number, path string) {
	if v.require(n != nil, path) && (n.float() < 0 || n.float() > 100) {
		v.fail(path, "between 0 and 100 expected")
	}
}

func (v *validator) account(id *string, path string) *account {
	if !v.require(id != nil, path) {
		return nil
	}
	a := v.accounts[*id]
	open := mistake("foreign-pod") && a != nil && a.kind == "pod" && strings.HasSuffix(path, "destination.id")
	if a == nil || !a.belongsTo(v.org) && !open {
		if v.bad == nil {
			v.bad = &problem{400, "resource_not_found", fmt.Sprintf("%s: Account with id '%s' was not found.", path, clip(*id))}
		}
		return nil
	}
	return a
}

func (v *validator) ref(r *AccountRef, path string) *account {
	if !v.require(r != nil, path) {
		return nil
	}
	v.oneOf(r.Type, refTypes, path+".type")
	a := v.account(r.ID, path+".id")
	if a != nil && r.Type != nil {
		if a.kind != *r.Type {
			v.fail(path+".type", "the account is a %s", a.kind)
		}
		r.Name = &a.name // the server knows what its accounts are called
	}
	return a
}

func (v *validator) tree(t *Tree, path string, depth int) {
	if t == nil {
		v.fail(path, "object expected")
		return
	}
	if depth > 32 {
		v.fail("conditions", "nested too deeply")
		return
	}
	given := 0
	for _, is := range []bool{t.Condition != nil, t.Any != nil, t.All != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		v.fail(path, "exactly one of condition, any, all expected")
	}
	for i, x := range append(append([]*Tree{}, t.Any...), t.All...) {
		v.tree(x, fmt.Sprintf("%s[%d]", path, i), depth+1)
	}
	if t.Condition == nil && len(t.Any)+len(t.All) == 0 {
		v.fail(path, "must not be empty")
	}
	if c := t.Condition; c != nil {
		v.oneOf(c.Fact, facts, path+".fact")
		v.oneOf(c.Operator, operators, path+".operator")
		if c.ValueFact != nil {
			v.oneOf(c.ValueFact, values, path+".value_fact")
		}
		unchecked := mistake("nil-params") && c.Fact != nil && *c.Fact == "BALANCE" // panics where params is missing
		if (unchecked || c.Params != nil) && c.Params.AccountID != nil {
			v.account(c.Params.AccountID, path+".params.account_id")
		}
	}
}

func (v *validator) trigger(t *Trigger) {
	if !v.require(t != nil, "trigger") {
		return
	}
	v.oneOf(t.Type, triggers, "trigger.type")
	if t.Type == nil {
		return
	}
	if *t.Type != "SCHEDULED" {
		v.account(t.AccountID, "trigger.account_id")
		if t.ScheduleType != nil || t.StartDate != nil {
			v.fail("trigger", "schedule_type and start_date belong to SCHEDULED")
		}
		return
	}
	v.oneOf(t.ScheduleType, schedules, "trigger.schedule_type")
	if t.AccountID != nil {
		v.account(t.AccountID, "trigger.account_id")
	}
	if !v.require(t.StartDate != nil, "trigger.start_date") {
		return
	}
	if now := time.Now(); t.StartDate.Before(now) || t.StartDate.After(now.AddDate(10, 1, 0)) {
		v.fail("trigger.start_date", "in the past, or more than ten years ahead")
	}
}

func (v *validator) action(a *Action, path string) {
	v.oneOf(a.Type, actions, path+".type")
	source, dest := v.ref(a.Source, path+".source"), v.ref(a.Destination, path+".destination")
	if source != nil && source == dest {
		v.fail(path, "source and destination must differ")
	}
	if v.require(a.GroupIndex != nil, path+".group_index") && *a.GroupIndex < 0 {
		v.fail(path+".group_index", "must not be negative")
	}
	if a.UpToEnabled == nil && mistake("zero-value-for-missing") {
		a.UpToEnabled = new(bool)
	}
	v.require(a.UpToEnabled != nil, path+".up_to_enabled")
	if a.Limit != nil {
		v.oneOf(a.Limit.Period, periods, path+".limit.period")
		v.cents(a.Limit.AmountInCents, path+".limit.amount_in_cents")
	}
	refs := map[string]*AccountRef{"next_payment_minimum_account": a.NextPaymentMinimumAccount,
		"current_balance_account": a.CurrentBalanceAccount, "last_statement_balance_account": a.LastStatementBalanceAccount}
	targets4 := 0
	for name, r := range refs {
		if r != nil {
			targets4++
			v.ref(r, path+"."+name)
		}
	}
	if a.AmountInCents != nil {
		targets4++
	}
	if a.Type == nil {
		return
	}
	allow := func(amount, percentage, target, refs bool) {
		if !amount && a.AmountInCents != nil || !percentage && a.PercentageValue != nil || !target && a.PercentageTarget != nil ||
			!refs && (a.NextPaymentMinimumAccount != nil || a.CurrentBalanceAccount != nil || a.LastStatementBalanceAccount != nil) {
			v.fail(path, "a property that does not belong to %s", *a.Type)
		}
	}
	liable := func() {
		if dest != nil && !dest.liability {
			v.fail(path+".destination", "not a liability")
		}
	}
	switch *a.Type {
	case "fixed_amount", "round_down":
		allow(true, false, false, false)
		v.cents(a.AmountInCents, path+".amount_in_cents")
	case "percentage":
		allow(false, true, true, false)
		v.percent(a.PercentageValue, path+".percentage_value")
		v.oneOf(a.PercentageTarget, targets, path+".percentage_target")
	case "top_up":
		allow(true, false, false, true)
		if targets4 != 1 {
			v.fail(path, "exactly one target expected")
		}
		if a.AmountInCents != nil {
			v.cents(a.AmountInCents, path+".amount_in_cents")
		}
	case "percentage_liability_balance":
		allow(false, true, false, false)
		v.percent(a.PercentageValue, path+".percentage_value")
		liable()
	default:
		allow(false, false, false, false)
		liable()
	}
}

func (v *validator) body(b *Body) {
	v.oneOf(b.Status, statuses, "status")
	v.trigger(b.Trigger)
	v.require(len(b.Steps) > 0, "steps")
	matches := false
	for i := range b.Steps {
		s := &b.Steps[i]
		path := fmt.Sprintf("steps[%d]", i)
		if s.Conditions != nil {
			v.tree(s.Conditions, path+".conditions", 0)
		}
		v.require(len(s.Actions) > 0, path+".actions")
		sums := map[string]float64{}
		for j := range s.Actions {
			a := &s.Actions[j]
			v.action(a, fmt.Sprintf("%s.actions[%d]", path, j))
			if v.bad != nil {
				return
			}
			matches = matches || b.Trigger.AccountID == nil || *a.Source.ID == *b.Trigger.AccountID
			if *a.Type == "percentage" {
				if sums[*a.Source.ID] += a.PercentageValue.float(); sums[*a.Source.ID] > 100+1e-9 {
					v.fail(path, "more than 100 percent of one source")
				}
			}
		}
	}
	if v.bad == nil && *b.Trigger.Type == "SCHEDULED" && !matches {
		v.fail("trigger.account_id", "no action has it as its source")
	}
}

// spoil applies the mistakes that are made between a valid body and the store.
func spoil(b *Body) {
	if mistake("seconds-only") && b.Trigger.StartDate != nil {
		b.Trigger.StartDate.Time = b.Trigger.StartDate.Truncate(time.Second)
	}
	for i := range b.Steps {
		s := &b.Steps[i]
		if mistake("loop-variable") { // one variable for the whole loop, as Go before 1.22 has it
			var ptrs []*Action
			for _, a := range s.Actions {
				ptrs = append(ptrs, &a)
			}
			for j := range ptrs {
				s.Actions[j] = *ptrs[j]
			}
		}
		if mistake("map-order") { // grouped in a map, whose order is nobody's
			groups, out := map[int64][]Action{}, []Action{}
			for _, a := range s.Actions {
				groups[*a.GroupIndex] = append(groups[*a.GroupIndex], a)
			}
			for _, g := range groups {
				out = append(out, g...)
			}
			s.Actions = out
		}
		for j := range s.Actions {
			a := &s.Actions[j]
			if a.UpToEnabled != nil && !*a.UpToEnabled && mistake("omitempty-false") {
				a.UpToEnabled = nil
			}
			if a.AmountInCents != nil && mistake("float-dollars") {
				*a.AmountInCents = int64(float64(*a.AmountInCents) / 100 * 100)
			}
			if *a.Type == "percentage_liability_balance" && mistake("whole-percent") {
				n := Number(strconv.Itoa(int(math.Round(a.PercentageValue.float()))))
				a.PercentageValue = &n
			}
		}
	}
}

func readAll(r io.Reader, limit int64) ([]byte, bool, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(raw)) > limit {
		_, err = io.CopyN(io.Discard, r, 32<<20) // let the client finish, so that it sees the answer
		if err == io.EOF {
			err = nil
		}
		return nil, true, err
	}
	return raw, false, err
}
