# frozen_string_literal: true

# PUT /rules/{id} with Sinatra on puma, in memory. MISTAKE, JITTER, LAG, RATE, SHARE: see README.md.
require 'sinatra/base'
require 'json'
require 'bigdecimal'
require 'date'
require 'time'
require 'securerandom'
require 'strscan'

MISTAKE = ENV['MISTAKE'].to_s
LAG = ENV['LAG'].to_f
RATE = ENV['RATE'].to_i
JITTER = ENV['JITTER'].to_s[/\A\d+-\d+\z/]&.split('-')&.map(&:to_i)

def m?(name) = MISTAKE == name

class BigDecimal
  # Percentages and thresholds are kept exactly; the json library would quote them.
  def to_json(*) = to_s('F')
end

# What the API answers instead of a result.
class ApiError < StandardError
  attr_reader :http_status, :code, :headers

  def initialize(status, code, message, headers = {})
    super(message)
    @http_status, @code, @headers = status, code, headers
  end
end

class Invalid < ApiError
  def initialize(at, why) = super(422, 'validation_failed', "#{at} #{why}")
end

# ---------------------------------------------------------------------------------------------------------------- world

module World
  SCOPES = %w[LIST_ACCOUNTS READ_ACCOUNTS LIST_RULES READ_RULES TRIGGER_RULES READ_RULE_EXECUTIONS READ_TRANSFERS MANUAL_TRANSFER READ_CARDS].freeze
  EVERYTHING = ['UPDATE_RULES', *SCOPES].to_h { |scope| [scope, '*'] }.freeze
  Key = Struct.new(:id, :org, :permissions, :revoked, keyword_init: true) do
    def may?(scope, rule_id) = permissions[scope] == '*' || Array(permissions[scope]).include?(rule_id)
  end

  def self.key(name, org, permissions, revoked: false)
    [ENV.fetch("RB_KEY_#{name}"), Key.new(id: name, org: org, permissions: permissions, revoked: revoked)]
  end

  KEYS = [
    key('FULL', :lark, EVERYTHING),
    key('LIMITED', :lark, { 'UPDATE_RULES' => ['rule_rb_limited'], 'READ_RULES' => ['rule_rb_limited'] }),
    key('READ_ONLY', :lark, { 'READ_RULES' => '*' }),
    key('UNRELATED', :lark, { 'READ_TRANSFERS' => '*', 'READ_CARDS' => '*' }),
    key('TRIGGER_ONLY', :lark, { 'TRIGGER_RULES' => '*' }),
    key('OTHER_ORG', :sparrow, EVERYTHING),
    key('REVOKED', :lark, EVERYTHING, revoked: true),
    *SCOPES.map { |scope| key("SCOPE_#{scope}", :lark, { scope => '*' }) }
  ].to_h.freeze

  SHARED = ENV['SHARE'] == '1' ? %i[lark sparrow] : %i[lark]
  ACCOUNTS = {
    'acc_rb_wages' => { type: 'income_source', orgs: SHARED },
    'acc_rb_side' => { type: 'income_source', orgs: %i[lark] },
    'acc_rb_save' => { type: 'pod', orgs: SHARED },
    'acc_rb_tax' => { type: 'pod', orgs: %i[lark] },
    'acc_rb_bank' => { type: 'external_account', orgs: %i[lark] },
    'acc_rb_visa' => { type: 'external_account', orgs: %i[lark], liability: true },
    'acc_sp_sales' => { type: 'income_source', orgs: %i[sparrow] },
    'acc_sp_pot' => { type: 'pod', orgs: %i[sparrow] }
  }.freeze

  def self.rule(id, org, from, to)
    { 'id' => id, 'org' => org, 'nickname' => "Seed #{id}", 'description' => nil, 'status' => 'disabled',
      'trigger' => { 'type' => 'MANUAL', 'account_id' => from },
      'steps' => [{ 'conditions' => nil, 'actions' => [
        { 'type' => 'fixed_amount', 'amount_in_cents' => 1500, 'source' => { 'id' => from, 'type' => 'income_source' },
          'destination' => { 'id' => to, 'type' => 'pod' }, 'group_index' => 0, 'up_to_enabled' => false }
      ] }],
      'created_at' => '2026-03-01T12:00:00+02:00', 'updated_at' => '2026-03-01T12:00:00+02:00' }
  end

  def self.rules
    [rule('rule_rb_alpha', :lark, 'acc_rb_wages', 'acc_rb_save'), rule('rule_rb_beta', :lark, 'acc_rb_side', 'acc_rb_tax'),
     rule('rule_rb_limited', :lark, 'acc_rb_wages', 'acc_rb_tax'), rule('rule_sp_main', :sparrow, 'acc_sp_sales', 'acc_sp_pot')]
      .to_h { |rule| [rule['id'], rule] }
  end
end

module Clock
  @offset = 0.0
  class << self
    attr_accessor :offset

    def now = Time.now + offset
    def stamp = m?('allowed-zulu-millis') ? now.utc.iso8601(3) : now.getlocal('+02:00').iso8601
  end
end

# ------------------------------------------------------------------------------------------------------- strict JSON

# JSON.parse takes comments, unknown escapes, invalid UTF-8 and lone surrogates; this looks at the tokens first.
module StrictJSON
  STRING = /"(?:[^"\\\x00-\x1f]++|\\(?:["\\\/bfnrt]|u\h{4}))*+"/.freeze
  NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/.freeze
  OTHER = /[\s{}\[\]:,]+|true|false|null/.freeze

  def self.parse(bytes)
    text = bytes.dup.force_encoding(Encoding::UTF_8)
    bad('is not UTF-8') unless text.valid_encoding?
    scanner = StringScanner.new(text)
    until scanner.eos?
      token = scanner.scan(STRING) || scanner.scan(OTHER) || scanner.scan(NUMBER) || bad('is not JSON')
      bad('holds a number of too many digits') if token.size > 60 && token.match?(/\A[-\d]/)
      bad('holds a lone surrogate') if token.include?('\\u') && !m?('surrogate-500') && lone_surrogate?(token)
    end
    JSON.parse(text, decimal_class: BigDecimal, max_nesting: 60)
  rescue JSON::ParserError => e
    bad(m?('backtrace') ? e.full_message(highlight: false) : 'is not JSON')
  end

  def self.lone_surrogate?(token)
    token.gsub(/\\[^u]/, '-').gsub(/\\u[dD][89abAB]\h\h\\u[dD][c-fC-F]\h\h/, '').match?(/\\u[dD][89a-fA-F]\h\h/)
  end

  def self.bad(why) = raise(ApiError.new(400, 'invalid_json', "The body #{why}"))
end

# ---------------------------------------------------------------------------------------------------------- validation

# Turns a parsed body into the fields of a rule, or raises. Unknown properties are left behind.
class RuleBody
  STATUS = %w[enabled disabled].freeze
  SCHEDULES = %w[ONE_TIME DAILY WEEKLY BI_WEEKLY MONTHLY EVERY_OTHER_WEEK].freeze
  ACCOUNT_TYPES = %w[income_source pod external_account].freeze
  TARGETS = %w[incoming_amount source_account].freeze
  PERIODS = %w[PER_TRANSFER PER_WEEK PER_MONTH PER_YEAR].freeze
  FACTS = %w[TRANSFER_AMOUNT BALANCE DATE].freeze
  OPERATORS = %w[EQUALS NOT_EQUALS GREATER_THAN LESS_THAN GREATER_THAN_OR_EQUAL LESS_THAN_OR_EQUAL].freeze
  VALUE_FACTS = [*FACTS, 'LAST_DAY_OF_MONTH', 'NEXT_PAYMENT_MINIMUM_AMOUNT', 'LAST_STATEMENT_BALANCE'].freeze
  TOP_UP = %w[next_payment_minimum_account current_balance_account last_statement_balance_account].freeze
  PAYMENTS = %w[next_payment_minimum total_amount_due last_statement_balance percentage_liability_balance].freeze
  MAX_CENTS = 2**53 - 1
  RFC3339 = /\A(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)\z/.freeze
  RFC3339_LINES = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.freeze
  DEFAULTS = { 'limit' => nil, 'ach_description' => nil }

  def self.call(body, org) = new(org).rule(body)

  def initialize(org)
    @org = org
    @accounts = []
  end

  def rule(body)
    raise Invalid.new('The body', 'must be an object') unless body.is_a?(Hash)

    disabled = { 'status' => enum(body['status'], STATUS, 'status'), 'nickname' => text(body['nickname'], 'nickname'),
                 'description' => text(body['description'], 'description') }
    disabled['nickname'] = disabled['nickname']&.strip if m?('strip')
    disabled['description'] = nil if m?('presence') && disabled['description'].to_s.strip.empty?
    trigger = trigger(object(body['trigger'], 'trigger'))
    steps = list(body['steps'], 'steps').each_with_index.map { |step, i| step(step, "steps[#{i}]", trigger) }
    raise Invalid.new('steps', 'must not be empty') if steps.empty?

    check_accounts
    disabled.merge('trigger' => trigger, 'steps' => steps)
  end

  private

  def object(value, at) = value.is_a?(Hash) ? value : raise(Invalid.new(at, 'must be an object'))
  def list(value, at) = value.is_a?(Array) ? value : raise(Invalid.new(at, 'must be an array'))
  def enum(value, allowed, at) = allowed.include?(value) ? value : raise(Invalid.new(at, "must be one of #{allowed.join(', ')}"))

  def text(value, at)
    return value if value.nil? || value.is_a?(String)

    raise Invalid.new(at, 'must be a string or null')
  end

  def boolean(value, at)
    return value ? true : false if m?('truthy-boolean') && !value.nil?

    value == true || value == false ? value : raise(Invalid.new(at, 'must be true or false'))
  end

  def integer(value, range, at)
    raise Invalid.new(at, 'must be an integer') unless value.is_a?(Integer)

    range.cover?(value) ? value : raise(Invalid.new(at, "must be from #{range.min} to #{range.max}"))
  end

  def cents(value, at)
    value = value.to_i if m?('to-i') && value.respond_to?(:to_i) && !value.nil?
    value = integer(value, 0..MAX_CENTS, at)
    m?('float-cents') ? (value / 100.0 * 100).to_i : value
  end

  def number(value, at)
    raise Invalid.new(at, 'must be a number') unless value.is_a?(Integer) || value.is_a?(BigDecimal)
    raise Invalid.new(at, 'has too many digits') if value.is_a?(BigDecimal) && (value.scale > 20 || value.exponent > 30)

    value
  end

  def percent(value, at)
    raise Invalid.new(at, 'must be from 0 to 100') unless (0..100).cover?(number(value, at))

    value
  end

  def account_id(value, at)
    raise Invalid.new(at, 'must be an account id') unless value.is_a?(String)

    @accounts << value
    value
  end

  def account(value, at)
    given = object(value, at)
    ref = { 'id' => account_id(given['id'], "#{at}.id"), 'type' => enum(given['type'], ACCOUNT_TYPES, "#{at}.type") }
    ref['name'] = text(given['name'], "#{at}.name") if given.key?('name')
    ref
  end

  def date_time(value, at)
    raise Invalid.new(at, 'must be a date-time') unless value.is_a?(String)

    if m?('time-parse')
      time = begin Time.parse(value) rescue raise(Invalid.new(at, 'must be a date-time')) end
      value = time.utc.iso8601(3)
    else
      found = value.match(m?('regex-lines') ? RFC3339_LINES : RFC3339)
      raise Invalid.new(at, 'must be an RFC 3339 date-time') unless found && Date.valid_date?(*found[1..3].map(&:to_i))

      time = Time.iso8601(found[0])
    end
    raise Invalid.new(at, 'must be in the future, ten years at most') unless time.between?(Clock.now, Clock.now + 3700 * 86_400)

    value
  end

  def trigger(given)
    case given['type']
    when 'SCHEDULED'
      out = { 'type' => 'SCHEDULED', 'schedule_type' => enum(given['schedule_type'], SCHEDULES, 'trigger.schedule_type'),
              'start_date' => date_time(given['start_date'], 'trigger.start_date') }
      out['account_id'] = given['account_id'] && account_id(given['account_id'], 'trigger.account_id') if given.key?('account_id')
      raise Invalid.new('trigger.account_id', 'must be an account id or null') if given['account_id'] == false

      out
    when 'ON_FUNDS_TRANSFERRED', 'MANUAL'
      { 'type' => given['type'], 'account_id' => account_id(given['account_id'], 'trigger.account_id') }
    else raise Invalid.new('trigger.type', 'must be SCHEDULED, ON_FUNDS_TRANSFERRED or MANUAL')
    end
  end

  def step(value, at, trigger)
    given = object(value, at)
    conditions = given.fetch('conditions') { m?('allowed-null-conditions') ? nil : raise(Invalid.new("#{at}.conditions", 'must be given, null for none')) }
    actions = list(given['actions'], "#{at}.actions").each_with_index.map { |action, i| action(object(action, "#{at}.actions[#{i}]"), "#{at}.actions[#{i}]") }
    raise Invalid.new("#{at}.actions", 'must not be empty') if actions.empty?

    shares = Hash.new(0)
    actions.each do |action|
      shares[action['source']['id']] += action['percentage_value'] if action['type'] == 'percentage'
    end
    raise Invalid.new(at, 'gives away more than 100 percent of a source') if shares.values.any? { |share| share > 100 }
    if trigger['type'] == 'SCHEDULED' && trigger['account_id'] && actions.none? { |action| action['source']['id'] == trigger['account_id'] }
      raise Invalid.new(at, 'does not use the account of the trigger')
    end

    { 'conditions' => conditions.nil? ? nil : tree(conditions, "#{at}.conditions"), 'actions' => actions }
  end

  def tree(value, at)
    given = m?('any-null-500') ? value : object(value, at)
    keys = %w[condition any all].reject { |key| given[key].nil? }
    raise Invalid.new(at, 'needs exactly one of condition, any, all') unless keys.size == 1

    key = keys.first
    return { key => condition(object(given[key], "#{at}.condition"), "#{at}.condition") } if key == 'condition'

    { key => list(given[key], "#{at}.#{key}").each_with_index.map { |branch, i| tree(branch, "#{at}.#{key}[#{i}]") } }
  end

  def condition(given, at)
    out = { 'fact' => enum(given['fact'], FACTS, "#{at}.fact"), 'operator' => enum(given['operator'], OPERATORS, "#{at}.operator") }
    out['value'] = given['value'].nil? ? nil : number(given['value'], "#{at}.value") if given.key?('value')
    out['value_fact'] = given['value_fact'].nil? ? nil : enum(given['value_fact'], VALUE_FACTS, "#{at}.value_fact") if given.key?('value_fact')
    if given.key?('params')
      params = given['params'].nil? ? nil : object(given['params'], "#{at}.params").slice('account_id')
      account_id(params['account_id'], "#{at}.params.account_id") unless params.nil? || params['account_id'].nil?
      out['params'] = params
    end
    out
  end

  def action(given, at)
    out = { 'type' => given['type'] }
    case given['type']
    when 'fixed_amount', 'round_down' then out['amount_in_cents'] = cents(given['amount_in_cents'], "#{at}.amount_in_cents")
    when 'percentage'
      out['percentage_value'] = percent(given['percentage_value'], "#{at}.percentage_value")
      out['percentage_target'] = enum(given['percentage_target'], TARGETS, "#{at}.percentage_target")
    when 'top_up' then out.merge!(top_up(given, at))
    when 'percentage_liability_balance'
      out['percentage_value'] = percent(given['percentage_value'], "#{at}.percentage_value")
      out['percentage_value'] = out['percentage_value'].to_i if m?('percent-to-i')
    when 'next_payment_minimum', 'total_amount_due', 'last_statement_balance' then nil
    else raise Invalid.new("#{at}.type", 'is not a type of action')
    end
    out['source'] = account(given['source'], "#{at}.source")
    out['destination'] = account(given['destination'], "#{at}.destination")
    raise Invalid.new(at, 'moves money from an account to itself') if out['source']['id'] == out['destination']['id']
    if PAYMENTS.include?(out['type']) && World::ACCOUNTS.dig(out['destination']['id'], :liability) != true
      check_accounts
      raise Invalid.new("#{at}.destination", 'is not a liability')
    end

    out['group_index'] = integer(given['group_index'], 0..2**31 - 1, "#{at}.group_index")
    out['up_to_enabled'] = boolean(given['up_to_enabled'], "#{at}.up_to_enabled")
    out['up_to_enabled'] ||= true if m?('false-or-true')
    optional(given, out, at)
  end

  def top_up(given, at)
    set = ['amount_in_cents', *TOP_UP].reject { |key| given[key].nil? }
    raise Invalid.new(at, 'needs exactly one target of a top_up') unless set.size == 1

    { set.first => set.first == 'amount_in_cents' ? cents(given[set.first], "#{at}.amount_in_cents") : account(given[set.first], "#{at}.#{set.first}") }
  end

  def optional(given, out, at)
    unless given['is_direct_deposit'].nil? && !given.key?('is_direct_deposit')
      out['is_direct_deposit'] = given['is_direct_deposit'].nil? ? false : boolean(given['is_direct_deposit'], "#{at}.is_direct_deposit")
    end
    out['is_direct_deposit'] ||= false if m?('allowed-default-added')
    out['ach_description'] = text(given['ach_description'], "#{at}.ach_description") if given.key?('ach_description')
    out['limit'] = given['limit'].nil? ? nil : limit(object(given['limit'], "#{at}.limit"), "#{at}.limit") if given.key?('limit')
    if m?('shared-defaults')                                            # merge! on what all actions of the rule share
      @defaults ||= DEFAULTS.dup
      out = @defaults.merge!(out.slice('limit', 'ach_description')).merge(out)
    end
    out = out.compact if m?('allowed-compact')
    m?('select-truthy') ? out.select { |_, value| value } : out
  end

  def limit(given, at)
    amount = cents(given['amount_in_cents'], "#{at}.amount_in_cents")
    amount = amount / 100 * 100 if m?('limit-dollars')
    { 'period' => enum(given['period'], PERIODS, "#{at}.period"), 'amount_in_cents' => amount }
  end

  OWNED = {} # only for the mistake memo-accounts

  def check_accounts
    @accounts.uniq.each do |id|
      ours = World::ACCOUNTS.dig(id, :orgs)&.include?(@org)
      ours = (OWNED[id] ||= ours) if m?('memo-accounts')
      raise ApiError.new(403, 'forbidden', "This API key has no access to account '#{id}'.") unless ours
    end
  end
end

# --------------------------------------------------------------------------------------------------------- idempotency

# Keys belong to the credential and the rule. Only successes are kept; a request under way is a 409 to its duplicates.
class IdempotencyStore
  Entry = Struct.new(:body, :at, :answer)
  DAY = 24 * 60 * 60

  def initialize
    @entries = {}
    @mutex = Mutex.new
  end

  def clear = @mutex.synchronize { @entries.clear }

  # Returns the stored answer, or that of the block.
  def fetch(key, body)
    entry = nil
    (m?('mutex-new') ? Mutex.new : @mutex).synchronize do
      known = @entries[key]
      known = nil if known && expired?(known)
      sleep 0.015 if m?('mutex-new')
      if known
        raise ApiError.new(422, 'idempotency_key_reused', 'This Idempotency-Key was used with another body.') if known.body != body && !m?('allowed-reuse-original')
        raise ApiError.new(409, 'request_in_progress', 'A request with this Idempotency-Key is in progress.', { 'Retry-After' => '1' }) unless known.answer

        return known.answer
      end
      entry = @entries[key] = Entry.new(body, Clock.now, nil)
      @entries.shift if m?('lru-50') && @entries.size > 50
    end
    entry.answer = yield
  ensure
    @mutex.synchronize { @entries.delete(key) } if entry && entry.answer.nil? && !m?('stuck')
  end

  private

  def expired?(entry)
    return entry.at.utc.to_date != Clock.now.utc.to_date if m?('ttl-midnight')

    Clock.now - entry.at > DAY
  end
end

# ---------------------------------------------------------------------------------------------------------- middleware

# Gives every answer its request id; slows and limits.
class Front
  def initialize(app)
    @app = app
    @recent = []
    @mutex = Mutex.new
  end

  def call(env)
    given = env['HTTP_X_REQUEST_ID'].to_s
    id = env['rules.request_id'] = given.match?(/\A[\x21-\x7e]{1,255}\z/n) ? given.dup.force_encoding(Encoding::UTF_8) : "req-#{SecureRandom.uuid}"
    unless env['PATH_INFO'].start_with?('/ops/')
      sleep rand(JITTER[0]..JITTER[1]) / 1000.0 if JITTER
      return busy(id) if RATE.positive? && too_many?
    end
    status, headers, body = @app.call(env)
    [status, { 'X-Request-ID' => id }.merge(headers), body]
  end

  private

  def too_many?
    @mutex.synchronize do
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      @recent.reject! { |t| t < now - 1 }
      @recent.size >= RATE || !@recent.push(now)
    end
  end

  def busy(id)
    body = JSON.generate('error' => { 'code' => 'rate_limited', 'message' => 'Too many requests' }, 'request_id' => id)
    [429, { 'Content-Type' => 'application/json', 'Retry-After' => '1', 'X-Request-ID' => id }, [body]]
  end
end

# ----------------------------------------------------------------------------------------------------------------- API

class RulesApi < Sinatra::Base
  use Front
  disable :protection, :show_exceptions, :raise_errors, :dump_errors, :static, :x_cascade, :logging
  m?('method-override') ? enable(:method_override) : disable(:method_override)
  set :host_authorization, {} if respond_to?(:host_authorization)

  RULES = World.rules
  HISTORY = Hash.new { |hash, id| hash[id] = [] }
  LOCK = Mutex.new
  REPLAYS = IdempotencyStore.new
  CACHE = {} # only for the mistake cache-by-second
  MAX_BODY = 6 * 1024 * 1024
  class << self; attr_accessor :current; end # only for the mistake class-state

  helpers do
    def request_id = env['rules.request_id']

    def credential
      scheme, key = request.env['HTTP_AUTHORIZATION'].to_s.split(' ', 2)
      found = World::KEYS[key] if scheme == 'ApiKey'
      return found if found && !found.revoked

      raise ApiError.new(401, 'unauthorized', 'Missing or invalid API key.', { 'WWW-Authenticate' => 'ApiKey' })
    end

    def allowed(scope)
      key = credential
      raise ApiError.new(403, 'forbidden', 'This API key does not have the required permission.') unless key.may?(scope, rule_id)
      raise not_there unless RULES[rule_id] && RULES[rule_id]['org'] == key.org

      key
    end

    def rule_id = @rule_id ||= params['id'].to_s.dup.force_encoding(Encoding::UTF_8).scrub
    def not_there = ApiError.new(404, 'resource_not_found', "Rule with id '#{rule_id}' was not found.")
    def show(rule) = rule.except('org')

    def json(status, data)
      content_type :json
      [status, JSON.generate('request_id' => request_id, 'data' => data)]
    end

    def problem(status, code, message)
      content_type :json
      [status, JSON.generate('error' => { 'code' => code, 'message' => message.dup.force_encoding(Encoding::UTF_8).scrub }, 'request_id' => request_id)]
    end

    def read_body
      raise ApiError.new(413, 'body_too_large', 'The body is too large.') if request.content_length.to_i > MAX_BODY

      bytes = request.body.read(MAX_BODY + 1).to_s
      raise ApiError.new(413, 'body_too_large', 'The body is too large.') if bytes.bytesize > MAX_BODY
      raise ApiError.new(415, 'unsupported_media_type', 'The body must be application/json.') unless [nil, 'application/json'].include?(request.media_type)

      StrictJSON.parse(bytes)
    end
  end

  get '/api/v1/rules/:id' do
    allowed('READ_RULES')
    rule = seen(rule_id)
    if m?('cache-by-second')
      rule = CACHE[[rule_id, rule['status'], rule['updated_at']]] ||= rule
    end
    json 200, show(rule)
  end

  put '/api/v1/rules/:id' do
    key = allowed('UPDATE_RULES')
    body = read_body
    given = request.env['HTTP_IDEMPOTENCY_KEY'].to_s.b
    raise ApiError.new(400, 'invalid_idempotency_key', 'Idempotency-Key is too long.') if given.bytesize > 255

    given = given[0, 64] if m?('key-64')
    next json(200, show(update(body, key.org))) if given.empty?

    id, answer = REPLAYS.fetch([key.id, rule_id, given], body) do
      fresh = update(body, key.org)
      [request_id, JSON.generate('request_id' => request_id, 'data' => show(fresh))]
    end
    headers 'X-Request-ID' => id
    content_type :json
    answer
  end

  post '/api/v1/rules/:id/trigger' do
    allowed('TRIGGER_RULES')
    raise ApiError.new(409, 'rule_disabled', 'The rule is disabled.') unless RULES[rule_id]['status'] == 'enabled'

    json 202, { 'execution_id' => SecureRandom.uuid }
  end

  %w[POST PATCH DELETE].each do |verb|
    send(verb.downcase, '/api/v1/rules/:id') { raise ApiError.new(405, 'method_not_allowed', 'Use GET or PUT.', { 'Allow' => 'GET, HEAD, PUT' }) }
  end

  # The operators' side: what a human would do in the app, and the clock.
  post '/ops/rules/:id/enable' do
    raise not_there unless RULES[rule_id]

    LOCK.synchronize do
      RULES[rule_id] = RULES[rule_id].merge('status' => 'enabled')
      HISTORY.delete(rule_id)
    end
    json 200, { 'status' => 'enabled' }
  end

  post '/ops/clock' do
    Clock.offset += Float(JSON.parse(request.body.read).fetch('advance_seconds'))
    json 200, { 'now' => Clock.stamp }
  end

  post '/ops/reset' do
    LOCK.synchronize do
      Clock.offset = 0.0
      RULES.replace(World.rules)
      [HISTORY, CACHE, RuleBody::OWNED].each(&:clear)
      REPLAYS.clear
    end
    json 200, {}
  end

  error(ApiError) do |e|
    headers e.headers
    problem e.http_status, e.code, e.message
  end
  error(Sinatra::NotFound) { problem 404, 'resource_not_found', 'Nothing is here.' }
  error(Sinatra::BadRequest) { problem 400, 'bad_request', 'The request could not be read.' }
  error do |e|
    warn e.full_message(highlight: false)
    problem 500, 'internal_error', 'Something went wrong.'
  end

  private

  def seen(id)
    LOCK.synchronize do
      past = HISTORY[id]
      return RULES[id] if LAG.zero? || past.empty?

      horizon = Process.clock_gettime(Process::CLOCK_MONOTONIC) - LAG
      (past.reverse.find { |at, _| at <= horizon } || past.first).last
    end
  end

  def update(body, org)
    LOCK.synchronize { RULES[rule_id] = RULES[rule_id].merge('status' => 'disabled') } if m?('disable-first')
    fields = RuleBody.call(body, org)
    if m?('class-state')
      self.class.current = fields
      sleep 0.004
      fields = self.class.current
    end
    id = m?('id-from-body') && RULES.dig(body['id'], 'org') == org ? body['id'] : rule_id
    LOCK.synchronize do
      old = RULES[id]
      fields = fields.slice(*body.keys) if m?('merge')
      fields = fields.merge('trigger' => old['trigger'].merge(fields['trigger'])) if m?('merge-trigger')
      fields = fields.merge('steps' => old['steps'].zip(fields['steps']).map { |before, after| after || before }) if m?('zip-steps')
      status = 'disabled' # a human enables, no body does
      status = old['status'] if m?('changed-only') && old.slice('trigger', 'steps') == fields.slice('trigger', 'steps')
      new = old.merge(fields, 'status' => status, 'updated_at' => [Clock.stamp, old['updated_at']].max_by { |t| Time.iso8601(t) }).freeze
      if LAG.positive?
        HISTORY[id] << [-Float::INFINITY, old] if HISTORY[id].empty?
        HISTORY[id] << [Process.clock_gettime(Process::CLOCK_MONOTONIC), new]
      end
      RULES[id] = new
    end
  end
end
