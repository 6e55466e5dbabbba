package main

import (
	"os"
	"sync/atomic"
	"time"
)

// The world behind the endpoint: credentials, accounts, the first state of the rules, and a clock that can be moved.

type permission struct {
	scope     string
	resources []string // "*" for all
}

type credential struct {
	id, org     string
	revoked     bool
	permissions []permission
}

// resources of the scope; ok is false where the key does not hold it at all.
func (c *credential) resources(scope string) (res []string, ok bool) {
	for _, p := range c.permissions {
		if p.scope == scope {
			return p.resources, true
		}
	}
	return nil, false
}

var documentedScopes = []string{"LIST_ACCOUNTS", "READ_ACCOUNTS", "LIST_RULES", "READ_RULES", "TRIGGER_RULES",
	"READ_RULE_EXECUTIONS", "READ_TRANSFERS", "MANUAL_TRANSFER", "READ_CARDS"}

func loadCredentials() map[string]*credential {
	all := func(scopes ...string) (ps []permission) {
		for _, s := range scopes {
			ps = append(ps, permission{s, []string{"*"}})
		}
		return ps
	}
	everything := all(append([]string{"UPDATE_RULES"}, documentedScopes...)...)
	limited := []permission{{"UPDATE_RULES", []string{"rule_01GQ7LM5"}}, {"READ_RULES", []string{"rule_01GQ7LM5"}}}
	keys := map[string]*credential{}
	add := func(name, org string, revoked bool, ps []permission) {
		if key := os.Getenv("GO_KEY_" + name); key != "" {
			keys[key] = &credential{name, org, revoked, ps}
		}
	}
	add("FULL", "org_north", false, everything)
	add("LIMITED", "org_north", false, limited)
	add("READ_ONLY", "org_north", false, all("READ_RULES"))
	add("UNRELATED", "org_north", false, all("READ_CARDS"))
	add("TRIGGER_ONLY", "org_north", false, all("TRIGGER_RULES"))
	add("OTHER_ORG", "org_south", false, everything)
	add("REVOKED", "org_north", true, everything)
	for _, s := range documentedScopes {
		add("SCOPE_"+s, "org_north", false, all(s))
	}
	return keys
}

type account struct {
	kind, name string
	liability  bool
	orgs       []string
}

func (a *account) belongsTo(org string) bool {
	for _, o := range a.orgs {
		if o == org {
			return true
		}
	}
	return false
}

func loadAccounts(share bool) map[string]*account {
	north, south := []string{"org_north"}, []string{"org_south"}
	as := map[string]*account{
		"acc_goPay":  {"income_source", "Payroll", false, north},
		"acc_goGig":  {"income_source", "Side gig", false, north},
		"acc_goRent": {"pod", "Rent", false, north},
		"acc_goFood": {"pod", "Food & drink", false, north},
		"acc_goBank": {"external_account", "Checking", false, north},
		"acc_goVisa": {"external_account", "Visa", true, north},
		"acc_goLoan": {"external_account", "Student loan", true, north},
		"acc_gzPay":  {"income_source", "Shop", false, south},
		"acc_gzSave": {"pod", "Reserve", false, south},
	}
	if share { // two accounts belong to both organizations
		as["acc_goPay"].orgs = []string{"org_north", "org_south"}
		as["acc_goRent"].orgs = []string{"org_north", "org_south"}
	}
	return as
}

func seedRules(share bool) map[string]*Rule {
	created := time.Now().UTC().AddDate(0, 0, -30)
	start := Instant{time.Now().UTC().AddDate(0, 3, 0).Truncate(time.Hour)}
	rules := map[string]*Rule{}
	add := func(id, org, nickname, from, to string) {
		p := func(s string) *string { return &s }
		cents, group, on := int64(2500), int64(0), true
		rules[id] = &Rule{ID: id, org: org, Nickname: &nickname, Status: "disabled", CreatedAt: created, UpdatedAt: created,
			Trigger: &Trigger{Type: p("SCHEDULED"), ScheduleType: p("MONTHLY"), StartDate: &start, AccountID: &from},
			Steps: []Step{{Actions: []Action{{Type: p("fixed_amount"), AmountInCents: &cents,
				Source: &AccountRef{ID: &from, Type: p("income_source")}, Destination: &AccountRef{ID: &to, Type: p("pod")},
				GroupIndex: &group, UpToEnabled: &on}}}}}
	}
	add("rule_01GQ4M8TXA", "org_north", "Rent", "acc_goPay", "acc_goRent")
	add("rule_01GQ7LM", "org_north", "Groceries", "acc_goGig", "acc_goFood")
	add("rule_01GQC2R9VD", "org_north", "Spare", "acc_goPay", "acc_goFood")
	add("rule_01GQ7LM5", "org_north", "For the limited key", "acc_goPay", "acc_goRent")
	if share {
		add("rule_01GZ8K2PPE", "org_south", "Reserve", "acc_goPay", "acc_goRent")
	} else {
		add("rule_01GZ8K2PPE", "org_south", "Reserve", "acc_gzPay", "acc_gzSave")
	}
	return rules
}

// Clock is the wall clock plus whatever /ops/clock has added.
type Clock struct{ offset int64 }

func (c *Clock) Now() time.Time {
	return time.Now().UTC().Add(time.Duration(atomic.LoadInt64(&c.offset)))
}
func (c *Clock) Advance(seconds float64) {
	atomic.AddInt64(&c.offset, int64(seconds*float64(time.Second)))
}
func (c *Clock) Reset() { atomic.StoreInt64(&c.offset, 0) }
