import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.*;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.deser.BeanDeserializerModifier;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.*;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** PUT /rules/{id} on the JDK's own HttpServer with Jackson. PORT, MISTAKE, JITTER, LAG, RATE, SHARE: see README.md. */
public final class Server {
    static final String MISTAKE = env("MISTAKE", "");
    static final double LAG = Double.parseDouble(env("LAG", "0"));
    static final int RATE = (int) Double.parseDouble(env("RATE", "0"));
    static final int[] JITTER = Arrays.stream(env("JITTER", "0-0").split("-")).mapToInt(Integer::parseInt).toArray();
    static final boolean SHARE = env("SHARE", "").equals("1");

    static String env(String name, String otherwise) {
        String v = System.getenv(name);
        return v == null || v.isEmpty() ? otherwise : v;
    }

    static boolean m(String name) { return MISTAKE.equals(name); }

    // ------------------------------------------------------------------------------------------------ the wire model

    enum Status { enabled, disabled }
    enum TriggerType { SCHEDULED, ON_FUNDS_TRANSFERRED, MANUAL }
    enum ScheduleType { ONE_TIME, DAILY, WEEKLY, BI_WEEKLY, MONTHLY, EVERY_OTHER_WEEK }
    enum ActionType { fixed_amount, percentage, top_up, round_down, next_payment_minimum, total_amount_due, last_statement_balance, percentage_liability_balance }
    enum PercentageTarget { incoming_amount, source_account }
    enum AccountType { income_source, pod, external_account }
    enum Period { PER_TRANSFER, PER_WEEK, PER_MONTH, PER_YEAR }
    enum Fact { TRANSFER_AMOUNT, BALANCE, DATE }
    enum Operator { EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN, GREATER_THAN_OR_EQUAL, LESS_THAN_OR_EQUAL }
    enum ValueFact { TRANSFER_AMOUNT, BALANCE, DATE, LAST_DAY_OF_MONTH, NEXT_PAYMENT_MINIMUM_AMOUNT, LAST_STATEMENT_BALANCE }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Ref(@JsonProperty("id") String id, @JsonProperty("type") AccountType type, @JsonProperty("name") String name) {}

    record Limit(@JsonProperty("period") Period period,
                 @JsonProperty("amount_in_cents") @JsonDeserialize(using = LimitCents.class) Long amount) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Action(@JsonProperty("type") ActionType type,
                  @JsonProperty("amount_in_cents") Long amount,
                  @JsonProperty("percentage_value") BigDecimal percentage,
                  @JsonProperty("percentage_target") PercentageTarget target,
                  @JsonProperty("next_payment_minimum_account") Ref nextPaymentMinimum,
                  @JsonProperty("current_balance_account") Ref currentBalance,
                  @JsonProperty("last_statement_balance_account") Ref lastStatementBalance,
                  @JsonProperty("source") Ref source,
                  @JsonProperty("destination") Ref destination,
                  @JsonProperty("group_index") Integer groupIndex,
                  @JsonProperty("up_to_enabled") Boolean upTo,
                  @JsonProperty("is_direct_deposit") Boolean directDeposit,
                  @JsonProperty("limit") Limit limit,
                  @JsonProperty("ach_description") String achDescription) {
        Collection<Ref> refs() { return Stream.of(source, destination, nextPaymentMinimum, currentBalance, lastStatementBalance).filter(Objects::nonNull).toList(); }
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Params(@JsonProperty("account_id") String accountId) {
        @JsonCreator(mode = JsonCreator.Mode.PROPERTIES) Params {}
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Condition(@JsonProperty("fact") Fact fact, @JsonProperty("operator") Operator operator, @JsonProperty("value") BigDecimal value,
                     @JsonProperty("value_fact") ValueFact valueFact, @JsonProperty("params") Params params) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Tree(@JsonProperty("condition") Condition condition, @JsonProperty("any") List<Tree> any, @JsonProperty("all") List<Tree> all) {}

    record Step(@JsonProperty("conditions") Tree conditions, @JsonProperty("actions") List<Action> actions) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Trigger(@JsonProperty("type") TriggerType type, @JsonProperty("schedule_type") ScheduleType scheduleType,
                   @JsonProperty("start_date") Instant startDate, @JsonProperty("account_id") String accountId) {}

    record RuleBody(@JsonProperty("nickname") String nickname, @JsonProperty("description") String description, @JsonProperty("status") Status status,
                    @JsonProperty("trigger") Trigger trigger, @JsonProperty("steps") List<Step> steps) {}

    // --------------------------------------------------------------------------------------------------- (de)serializers

    /** Text is a JSON string of well-formed Unicode without NUL; nothing else is turned into one. */
    static final class Text extends JsonDeserializer<String> {
        @Override public String deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("numbers-as-text") && p.currentToken().isScalarValue() && p.currentToken() != JsonToken.VALUE_STRING) return p.getText();
            if (p.currentToken() != JsonToken.VALUE_STRING) return (String) c.handleUnexpectedToken(String.class, p);
            String s = p.getText();
            if (s.indexOf('\0') >= 0) throw JsonMappingException.from(p, "NUL is not allowed");
            if (!StandardCharsets.UTF_8.newEncoder().canEncode(s)) {
                if (m("lone-surrogates")) return new String(s.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
                throw JsonMappingException.from(p, "not well-formed Unicode");
            }
            return s;
        }
    }

    /** Whole numbers by value: 1.0 and 1e0 are 1, "1" and 1.5 are refused. */
    static class Cents extends JsonDeserializer<Long> {
        @Override public Long deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("coerce-scalars") && p.currentToken() == JsonToken.VALUE_STRING) return Long.valueOf(p.getText().trim());
            if (!p.currentToken().isNumeric()) return (Long) c.handleUnexpectedToken(Long.class, p);
            if (m("int-overflow")) return (long) p.getDecimalValue().setScale(0).intValue();
            return p.getDecimalValue().longValueExact();
        }
    }

    static final class LimitCents extends Cents {
        @Override public Long deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("limit-truncates") && p.currentToken() == JsonToken.VALUE_NUMBER_FLOAT) return p.getDecimalValue().longValue();
            return super.deserialize(p, c);
        }
    }

    static final class Index extends JsonDeserializer<Integer> {
        @Override public Integer deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("coerce-scalars") && p.currentToken() == JsonToken.VALUE_STRING) return Integer.valueOf(p.getText().trim());
            if (!p.currentToken().isNumeric()) return (Integer) c.handleUnexpectedToken(Integer.class, p);
            int i = p.getDecimalValue().intValueExact();
            return m("byte-index") && i >= 0 ? Integer.valueOf(i & 0x7f) : Integer.valueOf(i);
        }
    }

    static final class Decimal extends JsonDeserializer<BigDecimal> {
        @Override public BigDecimal deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("coerce-scalars") && p.currentToken() == JsonToken.VALUE_STRING) return new BigDecimal(p.getText().trim());
            if (!p.currentToken().isNumeric()) return (BigDecimal) c.handleUnexpectedToken(BigDecimal.class, p);
            BigDecimal d = p.getDecimalValue();
            if (Math.abs((long) d.scale()) > 20 || d.precision() > 30) throw JsonMappingException.from(p, "too many digits");
            return d;
        }
    }

    static final class Bool extends JsonDeserializer<Boolean> {
        @Override public Boolean deserialize(JsonParser p, DeserializationContext c) throws IOException {
            if (m("coerce-scalars") && p.currentToken() == JsonToken.VALUE_STRING) return Boolean.valueOf(p.getText());
            if (!p.currentToken().isBoolean()) return (Boolean) c.handleUnexpectedToken(Boolean.class, p);
            return p.getBooleanValue();
        }
    }

    static final class DateTime extends JsonDeserializer<Instant> {
        @Override public Instant deserialize(JsonParser p, DeserializationContext c) throws IOException {
            String s = p.currentToken() == JsonToken.VALUE_STRING ? p.getText() : "";
            if (!s.matches("\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?([Zz]|[+-]\\d\\d:\\d\\d)")) throw JsonMappingException.from(p, "not an RFC 3339 date-time");
            try {
                OffsetDateTime t = OffsetDateTime.parse(s);
                return m("local-date-time") ? t.toLocalDateTime().toInstant(ZoneOffset.UTC) : t.toInstant();
            } catch (DateTimeParseException e) {
                throw JsonMappingException.from(p, "not a date-time that exists");
            }
        }
    }

    static final class DateTimeOut extends JsonSerializer<Instant> {
        static final DateTimeFormatter WEEK_YEAR = DateTimeFormatter.ofPattern("YYYY-MM-dd'T'HH:mm:ss.SSSX", Locale.US).withZone(ZoneOffset.UTC);
        @Override public void serialize(Instant t, JsonGenerator g, SerializerProvider p) throws IOException {
            g.writeString(m("week-year") ? WEEK_YEAR.format(t) : t.toString());
        }
    }

    /** Jackson trims the names of enum constants, and takes ordinals: here a name is the name. */
    static final class ExactEnums extends BeanDeserializerModifier {
        @Override public JsonDeserializer<?> modifyEnumDeserializer(DeserializationConfig config, JavaType type, BeanDescription bean, JsonDeserializer<?> standard) {
            if (m("enum-trims")) return standard;
            Map<String, Object> names = Arrays.stream(type.getRawClass().getEnumConstants()).collect(Collectors.toMap(c -> ((Enum<?>) c).name(), c -> c));
            return new JsonDeserializer<Object>() {
                @Override public Object deserialize(JsonParser p, DeserializationContext c) throws IOException {
                    if (m("enum-ordinals") && p.getText().matches("\\d+")) return standard.deserialize(p, c);
                    Object found = p.currentToken() == JsonToken.VALUE_STRING ? names.get(p.getText()) : null;
                    if (found == null) throw JsonMappingException.from(p, "not one of " + names.keySet());
                    return found;
                }
            };
        }
    }

    static final ObjectMapper JSON = JsonMapper.builder()
        .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
        .enable(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN)
        .configure(MapperFeature.ALLOW_COERCION_OF_SCALARS, m("enum-ordinals"))
        .configure(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS, !m("enum-ordinals"))
        .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, !m("allowed-ignore-unknown"))
        .addModule(new SimpleModule()
            .addDeserializer(String.class, new Text()).addDeserializer(Long.class, new Cents()).addDeserializer(Integer.class, new Index())
            .addDeserializer(BigDecimal.class, new Decimal()).addDeserializer(Boolean.class, new Bool()).addDeserializer(Instant.class, new DateTime())
            .setDeserializerModifier(new ExactEnums()).addSerializer(Instant.class, new DateTimeOut()))
        .build();

    // ------------------------------------------------------------------------------------------------------- the world

    record Account(String id, AccountType type, String name, boolean liability, Set<String> organizations) {}
    record Key(String id, String organization, boolean revoked, Map<String, Set<String>> permissions) {}
    record Rule(String id, String organization, String nickname, String description, Status status, Trigger trigger, List<Step> steps,
                Instant createdAt, Instant updatedAt, long version) {
        Rule with(Status s) { return new Rule(id, organization, nickname, description, s, trigger, steps, createdAt, updatedAt, version + 1); }
        Map<String, Object> view() {
            Map<String, Object> v = new LinkedHashMap<>();
            v.put("id", id); v.put("nickname", nickname); v.put("description", description); v.put("status", status);
            v.put("trigger", trigger); v.put("steps", steps); v.put("created_at", stamp(createdAt)); v.put("updated_at", stamp(updatedAt));
            return v;
        }
        static Object stamp(Instant t) {
            return m("allowed-offset-stamps") ? DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ssxxx").format(t.atOffset(ZoneOffset.ofHours(1))) : t.toString();
        }
    }
    record Past(long nanos, Rule rule) {}

    static final Map<String, Account> ACCOUNTS = new HashMap<>();
    static final Map<String, Key> KEYS = new HashMap<>();
    static final ConcurrentHashMap<String, Rule> rules = new ConcurrentHashMap<>();
    static final ConcurrentHashMap<String, List<Past>> history = new ConcurrentHashMap<>();
    static volatile Duration offset = Duration.ZERO;

    static Instant now() { return Instant.now().plus(offset).truncatedTo(ChronoUnit.MILLIS); }

    static void account(String id, AccountType type, String name, boolean liability, String... organizations) {
        ACCOUNTS.put(id, new Account(id, type, name, liability, Set.of(organizations)));
    }

    static void key(String variable, String organization, boolean revoked, Map<String, Set<String>> permissions) {
        String secret = System.getenv(variable);
        if (secret == null || secret.isEmpty()) throw new IllegalStateException(variable + " is not set: source keys.sh first");
        KEYS.put(secret, new Key(variable, organization, revoked, permissions));
    }

    static void seed() {
        String[] org1Shared = SHARE ? new String[] {"org_kestrel", "org_heron"} : new String[] {"org_kestrel"};
        account("acc_jvPay1", AccountType.income_source, "Payroll", false, org1Shared);
        account("acc_jvPay2", AccountType.income_source, "Freelance", false, "org_kestrel");
        account("acc_jvPod1", AccountType.pod, "Savings", false, org1Shared);
        account("acc_jvPod2", AccountType.pod, "Taxes", false, "org_kestrel");
        account("acc_jvBank1", AccountType.external_account, "Checking", false, "org_kestrel");
        account("acc_jvCard1", AccountType.external_account, "Visa", true, "org_kestrel");
        account("acc_jvLoan1", AccountType.external_account, "Car loan", true, "org_kestrel");
        account("acc_hnPay1", AccountType.income_source, "Sales", false, "org_heron");
        account("acc_hnPod1", AccountType.pod, "Reserve", false, "org_heron");
        rule("rule_jvRent", "org_kestrel", "acc_jvPay1", "acc_jvPod1");
        rule("rule_jvTax", "org_kestrel", "acc_jvPay2", "acc_jvPod2");
        rule("rule_jvSpare", "org_kestrel", "acc_jvPay1", "acc_jvPod2");
        rule("rule_jvLimited", "org_kestrel", "acc_jvPay1", "acc_jvPod1");
        rule("rule_hnMain", "org_heron", "acc_hnPay1", "acc_hnPod1");
        history.clear();
    }

    static void rule(String id, String organization, String from, String to) {
        Action a = new Action(ActionType.fixed_amount, 2500L, null, null, null, null, null, named(new Ref(from, AccountType.income_source, null)),
            named(new Ref(to, AccountType.pod, null)), 0, true, false, null, null);
        Instant t = Instant.parse("2026-03-01T10:00:00Z");
        rules.put(id, new Rule(id, organization, "Rule " + id, null, Status.disabled,
            new Trigger(TriggerType.ON_FUNDS_TRANSFERRED, null, null, from), List.of(new Step(null, List.of(a))), t, t, 1));
    }

    static final List<String> DOCUMENTED = List.of("LIST_ACCOUNTS", "READ_ACCOUNTS", "LIST_RULES", "READ_RULES", "TRIGGER_RULES", "READ_RULE_EXECUTIONS", "READ_TRANSFERS", "MANUAL_TRANSFER", "READ_CARDS");

    static void keys() {
        Set<String> any = Set.of("*");
        Map<String, Set<String>> everything = new HashMap<>(Map.of("UPDATE_RULES", any));
        DOCUMENTED.forEach(s -> everything.put(s, any));
        key("JV_KEY_FULL", "org_kestrel", false, everything);
        key("JV_KEY_LIMITED", "org_kestrel", false, Map.of("UPDATE_RULES", Set.of("rule_jvLimited"), "READ_RULES", Set.of("rule_jvLimited")));
        key("JV_KEY_READ_ONLY", "org_kestrel", false, Map.of("READ_RULES", any));
        key("JV_KEY_UNRELATED", "org_kestrel", false, Map.of("LIST_ACCOUNTS", any, "READ_CARDS", any));
        key("JV_KEY_TRIGGER_ONLY", "org_kestrel", false, Map.of("TRIGGER_RULES", any));
        key("JV_KEY_OTHER_ORG", "org_heron", false, everything);
        key("JV_KEY_REVOKED", "org_kestrel", true, everything);
        for (String s : DOCUMENTED) key("JV_KEY_SCOPE_" + s, "org_kestrel", false, Map.of(s, any));
    }

    // -------------------------------------------------------------------------------------------- answers and problems

    /** What was decided; the transport adds the request id. */
    record Outcome(int status, Map<String, ?> data, String code, String message, Map<String, String> headers) {
        static Outcome ok(int status, Map<String, ?> data) { return new Outcome(status, data, null, null, Map.of()); }
        static Outcome error(int status, String code, String message) { return new Outcome(status, null, code, message, Map.of()); }
    }

    static final class Problem extends RuntimeException {
        final Outcome outcome;
        Problem(Outcome o) { super(o.message(), null, false, false); outcome = o; }
        Problem(int status, String code, String message) { this(Outcome.error(status, code, message)); }
    }

    static Problem invalid(String at, String why) { return new Problem(400, "invalid_request", at + ": " + why + "."); }

    /** One request, its body read to the end. */
    record Call(HttpExchange x, String method, List<String> path, byte[] body, String requestId) {
        List<String> headers(String name) { return x.getRequestHeaders().getOrDefault(name, List.of()); }
    }

    // ------------------------------------------------------------------------------------------- authentication, authority

    static Key authenticate(Call call) {
        List<String> given = call.headers("Authorization");
        if (given.size() == 1) {
            String[] parts = given.get(0).strip().split(" +", 2);
            Key key = parts.length == 2 && parts[0].equalsIgnoreCase("ApiKey") ? KEYS.get(parts[1]) : null;
            if (key != null && !key.revoked()) return key;
        }
        throw new Problem(new Outcome(401, null, "unauthorized", "Missing or invalid API key.", Map.of("WWW-Authenticate", "ApiKey realm=\"sequence\"")));
    }

    static Problem forbidden() { return new Problem(403, "forbidden", "This API key does not have the required permission."); }

    static Rule authorize(Key key, String scope, String id) {
        Set<String> resources = key.permissions().get(scope);
        if (resources == null) throw forbidden();
        Rule rule = rules.get(id);
        if (rule == null) throw new Problem(404, "resource_not_found", "Rule with id '" + id + "' was not found.");
        if (!rule.organization().equals(key.organization()) || !(resources.contains("*") || resources.contains(id))) throw forbidden();
        return rule;
    }

    // ------------------------------------------------------------------------------------------------------- the body

    static final int MAX_BODY = 8 << 20, MAX_DEPTH = 100;

    static RuleBody parse(Call call) {
        String text;
        try {
            boolean declared = String.join("", call.headers("Content-Type")).toLowerCase(Locale.ROOT).contains("charset");
            text = m("default-charset") && !declared ? new String(call.body(), StandardCharsets.ISO_8859_1)
                : StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(call.body())).toString();
            scan(text);
        } catch (CharacterCodingException e) {
            throw new Problem(400, "invalid_json", "The body is not valid UTF-8.");
        } catch (IOException e) {
            if (m("no-depth-limit") && !(e instanceof JsonParseException)) throw new UncheckedIOException(e);   // Jackson's own limit is no JsonParseException
            throw new Problem(400, "invalid_json", m("stack-trace") ? trace(e) : "The body is not valid JSON.");
        }
        try {
            RuleBody body = JSON.readValue(text, RuleBody.class);
            if (body == null) throw invalid("body", "must be an object");
            return body;
        } catch (JsonMappingException e) {
            throw invalid(pathOf(e), e instanceof UnrecognizedPropertyException ? "unknown property" : "not acceptable here");
        } catch (JsonProcessingException | ArithmeticException | NumberFormatException e) {
            throw invalid("body", "a number is out of range");
        }
    }

    /** Syntax, trailing tokens, duplicate names, depth and the length of numbers, without recursion. */
    static void scan(String text) throws IOException {
        try (JsonParser p = JSON.getFactory().createParser(text)) {
            int depth = 0, values = 0;
            for (JsonToken t = p.nextToken(); t != null; t = p.nextToken()) {
                if (depth == 0 && ++values > 1) throw new Problem(400, "invalid_json", "The body holds more than one JSON value.");
                if (t.isStructStart()) depth++;
                if (t.isStructEnd()) depth--;
                if (depth > MAX_DEPTH && !m("no-depth-limit")) throw invalid("body", "nested too deeply");
                if (t.isNumeric() && p.getTextLength() > 60) throw invalid("body", "a number is too long");
            }
            if (values == 0) throw new Problem(400, "invalid_json", "The body is empty.");
        }
    }

    static String pathOf(JsonMappingException e) {
        StringBuilder at = new StringBuilder();
        for (JsonMappingException.Reference r : e.getPath())
            at.append(r.getFieldName() == null ? "[" + r.getIndex() + "]" : (at.length() == 0 ? "" : ".") + r.getFieldName());
        return at.length() == 0 ? "body" : at.length() > 200 ? at.substring(0, 200) : at.toString();
    }

    static String trace(Throwable e) {
        StringWriter w = new StringWriter();
        e.printStackTrace(new PrintWriter(w));
        return w.toString();
    }

    static <T> T required(T value, String at) {
        if (value == null) throw invalid(at, "is required");
        return value;
    }

    static void absent(String at, Object... values) {
        for (Object v : values) if (v != null) throw invalid(at, "has a property of another type");
    }

    static void cents(Long v, String at) {
        if (required(v, at) < 1 || v > (1L << 53) - 1) throw invalid(at, "must be from 1 to 9007199254740991");
    }

    static void percent(BigDecimal v, String at) {
        if (required(v, at).signum() < 0 || v.compareTo(BigDecimal.valueOf(100)) > 0) throw invalid(at, "must be from 0 to 100");
        if (v.stripTrailingZeros().scale() > 2) throw invalid(at, "has more than two decimal places");
    }

    static void validate(RuleBody b) {
        if (b.nickname() != null && b.nickname().length() > 10_000) throw invalid("nickname", "is too long");
        if (b.description() != null && b.description().length() > 100_000) throw invalid("description", "is too long");
        required(b.status(), "status");
        Trigger t = required(b.trigger(), "trigger");
        if (required(t.type(), "trigger.type") == TriggerType.SCHEDULED) {
            required(t.scheduleType(), "trigger.schedule_type");
            Instant start = required(t.startDate(), "trigger.start_date");
            if (!start.isAfter(now())) throw invalid("trigger.start_date", "must be in the future");
            if (start.isAfter(now().plus(Duration.ofDays(3660)))) throw invalid("trigger.start_date", "is too far ahead");
        } else {
            required(t.accountId(), "trigger.account_id");
            absent("trigger", t.scheduleType(), t.startDate());
        }
        if (required(b.steps(), "steps").isEmpty()) throw invalid("steps", "must not be empty");
        for (int i = 0; i < b.steps().size(); i++) {
            Step s = required(b.steps().get(i), "steps[" + i + "]");
            if (s.conditions() != null) tree(s.conditions(), "steps[" + i + "].conditions");
            if (required(s.actions(), "steps[" + i + "].actions").isEmpty()) throw invalid("steps[" + i + "].actions", "must not be empty");
            for (int j = 0; j < s.actions().size(); j++) action(s.actions().get(j), "steps[" + i + "].actions[" + j + "]");
        }
    }

    static void tree(Tree t, String at) {
        if (required(t, at) != null && Stream.of(t.condition(), t.any(), t.all()).filter(Objects::nonNull).count() != 1) throw invalid(at, "needs exactly one of condition, any, all");
        if (t.condition() != null) {
            required(t.condition().fact(), at + ".condition.fact");
            required(t.condition().operator(), at + ".condition.operator");
        } else {
            List<Tree> branches = t.any() != null ? t.any() : t.all();
            if (branches.isEmpty()) throw invalid(at, "must not be empty");
            for (Tree b : branches) tree(b, at + "[]");
        }
    }

    static void action(Action a, String at) {
        required(a, at);
        ref(required(a.source(), at + ".source"), at + ".source");
        ref(required(a.destination(), at + ".destination"), at + ".destination");
        if (required(a.groupIndex(), at + ".group_index") < 0) throw invalid(at + ".group_index", "must not be negative");
        required(a.upTo(), at + ".up_to_enabled");
        if (a.limit() != null) {
            required(a.limit().period(), at + ".limit.period");
            cents(a.limit().amount(), at + ".limit.amount_in_cents");
        }
        for (Ref r : a.refs()) ref(r, at);
        ActionType type = required(a.type(), at + ".type");
        boolean topUp = type == ActionType.top_up, percentage = type == ActionType.percentage, percentageOfBalance = type == ActionType.percentage_liability_balance;
        if (!topUp) absent(at, a.nextPaymentMinimum(), a.currentBalance(), a.lastStatementBalance());
        if (topUp) {
            if (Stream.of(a.amount(), a.nextPaymentMinimum(), a.currentBalance(), a.lastStatementBalance()).filter(Objects::nonNull).count() != 1) throw invalid(at, "needs exactly one target of a top_up");
            if (a.amount() != null) cents(a.amount(), at + ".amount_in_cents");
        } else if (type == ActionType.fixed_amount || type == ActionType.round_down) cents(a.amount(), at + ".amount_in_cents");
        else absent(at, a.amount());
        if (percentage || percentageOfBalance) percent(a.percentage(), at + ".percentage_value"); else absent(at, a.percentage());
        if (percentage) required(a.target(), at + ".percentage_target"); else absent(at, a.target());
    }

    static void ref(Ref r, String at) {
        required(r.id(), at + ".id");
        required(r.type(), at + ".type");
    }

    // --------------------------------------------------------------------------------------------------- plausibility

    static Account owned(String id, String organization) {
        Account a = ACCOUNTS.get(id);
        if (a == null || !a.organizations().contains(organization)) throw new Problem(400, "resource_not_found", "Account with id '" + id + "' was not found.");
        return a;
    }

    static void plausible(RuleBody b, String organization) {
        if (b.trigger().accountId() != null) owned(b.trigger().accountId(), organization);
        for (Step s : b.steps()) {
            if (s.conditions() != null) conditionAccounts(s.conditions(), organization);
            for (Action a : m("first-action-only") ? s.actions().subList(0, 1) : s.actions())
                for (Ref r : a.refs()) if (owned(r.id(), organization).type() != r.type()) throw invalid(r.id(), "the account has another type");
            Map<String, BigDecimal> sums = new HashMap<>();
            Map<String, Double> doubles = new HashMap<>();
            for (Action a : s.actions()) {
                String from = a.source().id(), to = a.destination().id();
                if (from.equals(to)) throw invalid("destination", "must differ from the source");
                if (b.trigger().type() == TriggerType.SCHEDULED && b.trigger().accountId() != null && !from.equals(b.trigger().accountId()))
                    throw invalid("source", "a scheduled rule moves money from the account of its trigger");
                boolean payment = a.type().ordinal() >= ActionType.next_payment_minimum.ordinal();
                if (payment && !(ACCOUNTS.containsKey(to) && ACCOUNTS.get(to).liability())) throw invalid("destination", "is not a liability");
                if (a.type() == ActionType.percentage) {
                    if (m("percent-sum-double") ? doubles.merge(from, a.percentage().doubleValue(), Double::sum) > 100.0
                        : sums.merge(from, a.percentage(), BigDecimal::add).compareTo(BigDecimal.valueOf(100)) > 0) throw invalid("percentage_value", "more than 100 percent of one source");
                }
            }
        }
    }

    static void conditionAccounts(Tree t, String organization) {
        if (t.condition() != null && t.condition().params() != null) {
            String id = t.condition().params().accountId();
            if (m("npe-params") ? !id.isEmpty() : id != null) owned(id, organization);
        }
        for (Tree b : t.any() != null ? t.any() : t.all() != null ? t.all() : List.<Tree>of()) conditionAccounts(b, organization);
    }

    // ------------------------------------------------------------------------------------------------------- updating

    /** The documented default, and the names of accounts, are the server's to fill in. */
    static Ref named(Ref r) { return r == null ? null : new Ref(r.id(), r.type(), ACCOUNTS.containsKey(r.id()) ? ACCOUNTS.get(r.id()).name() : null); }

    static Action complete(Action a) {
        return new Action(a.type(), a.amount(), a.percentage(), a.target(), named(a.nextPaymentMinimum()), named(a.currentBalance()), named(a.lastStatementBalance()),
            named(a.source()), named(a.destination()), a.groupIndex(), a.upTo(), a.directDeposit() != null && a.directDeposit(), a.limit(), a.achDescription());
    }

    static List<Action> complete(List<Action> actions) {
        Collection<Action> done = actions.stream().map(Server::complete).toList();
        if (m("dedupe-actions")) done = new LinkedHashSet<>(done);
        if (m("group-order")) done = done.stream().collect(Collectors.groupingBy(Action::groupIndex)).values().stream().flatMap(List::stream).toList();
        return List.copyOf(done);
    }

    static volatile RuleBody pending;   // only for the mistake handler-field

    static Outcome update(Call call, Key key, String id, boolean keyed) {
        RuleBody parsed = parse(call);
        validate(parsed);
        plausible(parsed, key.organization());
        if (m("handler-field")) { pending = parsed; pause(4); parsed = pending; }
        RuleBody body = parsed;
        List<Step> steps = body.steps().stream().map(s -> new Step(s.conditions(), complete(s.actions()))).toList();
        if (m("torn")) {                                                        // two statements without a transaction
            rules.computeIfPresent(id, (k, r) -> new Rule(id, r.organization(), body.nickname(), body.description(), Status.disabled, r.trigger(), r.steps(), r.createdAt(), now(), r.version() + 1));
            pause(6);
            return done(rules.computeIfPresent(id, (k, r) -> new Rule(id, r.organization(), r.nickname(), r.description(), r.status(), body.trigger(), steps, r.createdAt(), now(), r.version() + 1)));
        }
        Rule updated = rules.computeIfPresent(id, (k, old) -> {
            Status status = Status.disabled;                                    // whatever it was, whatever the body says: a human enables
            if (m("manual-stays-enabled") && body.trigger().type() == TriggerType.MANUAL) status = old.status();
            if (m("keyed-keeps-status") && keyed) status = old.status();
            String nickname = m("or-else-old") ? Optional.ofNullable(body.nickname()).orElse(old.nickname()) : body.nickname();
            Instant at = now().isBefore(old.updatedAt()) ? old.updatedAt() : now();
            Rule next = new Rule(id, old.organization(), nickname, body.description(), status, body.trigger(), steps, old.createdAt(), at, old.version() + 1);
            if (LAG > 0) history.computeIfAbsent(id, h -> new CopyOnWriteArrayList<>(List.of(new Past(Long.MIN_VALUE, old)))).add(new Past(System.nanoTime(), next));
            return next;
        });
        return done(updated);
    }

    static Outcome done(Rule r) { return Outcome.ok(200, r.view()); }

    static Rule lagged(Rule current) {
        if (LAG <= 0 || !history.containsKey(current.id())) return current;
        long horizon = System.nanoTime() - (long) (LAG * 1e9);
        Rule seen = current;
        for (Past p : history.get(current.id())) if (p.nanos() == Long.MIN_VALUE || p.nanos() <= horizon) seen = p.rule();
        return seen;
    }

    // ---------------------------------------------------------------------------------------------------- idempotency

    /** The first request under a key; those after it wait for its outcome. Keys belong to the organization. */
    record Slot(String ruleId, String fingerprint, Integer hash, Instant since, CompletableFuture<Outcome> outcome) {
        boolean sameRequest(Slot o) {
            if (m("integer-cache")) return ruleId.equals(o.ruleId) && hash == o.hash;
            return fingerprint.equals(o.fingerprint) && (ruleId.equals(o.ruleId) || m("keys-ignore-rule"));
        }
        boolean expired() {
            if (m("int-ttl")) return Duration.between(since, now()).toNanos() / 1000 > 24 * 60 * 60 * 1000 * 1000;
            return Duration.between(since, now()).compareTo(Duration.ofHours(24)) > 0;
        }
    }
    static final ConcurrentHashMap<String, Slot> slots = new ConcurrentHashMap<>();

    static String idempotencyKey(Call call) {
        List<String> given = call.headers("Idempotency-Key");
        if (given.isEmpty()) return null;
        if (given.size() > 1 || !given.get(0).matches("[\\x21-\\x7e]{1,255}")) throw new Problem(400, "invalid_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters.");
        return m("keys-ignore-case") ? given.get(0).toLowerCase(Locale.ROOT) : given.get(0);
    }

    static Outcome put(Call call, String id) throws Exception {
        Key key = authenticate(call);
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(call.body());
        Slot mine = new Slot(id, HexFormat.of().formatHex(digest), Arrays.hashCode(call.body()), now(), new CompletableFuture<>());
        if (m("replay-skips-scope") && idempotencyKey(call) != null) {
            Slot early = slots.get(key.organization() + " " + idempotencyKey(call));
            if (early != null && early.sameRequest(mine) && early.outcome().isDone() && !early.expired()) return early.outcome().get();
        }
        authorize(key, "UPDATE_RULES", id);
        String type = String.join(",", call.headers("Content-Type")).toLowerCase(Locale.ROOT).replace(" ", "");
        if (!type.matches("application/json(;charset=\"?utf-?8\"?)?;?")) throw new Problem(415, "unsupported_media_type", "The body must be application/json in UTF-8.");
        String given = idempotencyKey(call);
        if (given == null) return update(call, key, id, false);

        String name = (m("allowed-keys-per-credential") ? key.id() : key.organization()) + " " + given;
        Slot first;
        if (m("check-then-put")) {
            first = slots.get(name);
            if (first == null || first.expired()) { pause(15); slots.put(name, mine); first = mine; }
        } else first = slots.compute(name, (n, old) -> old == null || old.expired() ? mine : old);
        if (first != mine) {
            if (!first.sameRequest(mine) && !m("allowed-reuse-original"))
                throw new Problem(409, "idempotency_key_reused", "This Idempotency-Key was used with another request.");
            if (!first.ruleId().equals(id) && !m("keys-ignore-rule")) throw new Problem(409, "idempotency_key_reused", "This Idempotency-Key was used on another rule.");
            return first.outcome().get(60, TimeUnit.SECONDS);
        }
        try {
            Outcome o = update(call, key, id, true);
            mine.outcome().complete(o);
            return o;
        } catch (Problem p) {
            if (m("allowed-forget-refusals")) slots.remove(name, mine);
            mine.outcome().complete(p.outcome);                                 // a refusal is an answer like any other
            return p.outcome;
        } catch (Throwable t) {
            slots.remove(name, mine);
            mine.outcome().complete(Outcome.error(409, "request_failed", "The first request under this Idempotency-Key failed."));
            throw t;
        }
    }

    // --------------------------------------------------------------------------------------------------------- routes

    static Outcome route(Call call) throws Exception {
        List<String> p = call.path();
        boolean rule = p.size() >= 4 && p.subList(0, 3).equals(List.of("api", "v1", "rules"));
        if (rule && p.size() == 4) {
            String id = p.get(3);
            switch (call.method()) {
                case "PUT": return put(call, id);
                case "GET": case "HEAD": {
                    Rule r = lagged(authorize(authenticate(call), "READ_RULES", id));
                    return new Outcome(200, r.view(), null, null, Map.of("ETag", "\"" + r.version() + "\""));
                }
                default: return notAllowed("GET, HEAD, PUT");
            }
        }
        if (rule && p.size() == 5 && p.get(4).equals("trigger")) {
            if (!call.method().equals("POST")) return notAllowed("POST");
            if (authorize(authenticate(call), "TRIGGER_RULES", p.get(3)).status() != Status.enabled) return Outcome.error(409, "rule_disabled", "The rule is disabled.");
            return Outcome.ok(202, Map.of("execution_id", "exe_" + UUID.randomUUID()));
        }
        if (p.size() >= 2 && p.get(0).equals("ops") && call.method().equals("POST")) return ops(call, p);
        return Outcome.error(404, "resource_not_found", "There is nothing at this path.");
    }

    static Outcome notAllowed(String allow) { return new Outcome(405, null, "method_not_allowed", "This method is not allowed here.", Map.of("Allow", allow)); }

    static Outcome ops(Call call, List<String> p) throws IOException {
        if (p.size() == 4 && p.get(1).equals("rules") && p.get(3).equals("enable")) {
            Rule r = rules.computeIfPresent(p.get(2), (k, old) -> old.with(Status.enabled));
            if (r == null) return Outcome.error(404, "resource_not_found", "No such rule.");
            history.remove(r.id());
            return Outcome.ok(200, Map.of("status", r.status()));
        }
        if (p.get(1).equals("clock")) {
            offset = offset.plusMillis((long) (JSON.readTree(call.body()).get("advance_seconds").asDouble() * 1000));
            return Outcome.ok(200, Map.of("now", now()));
        }
        if (p.get(1).equals("reset")) {
            offset = Duration.ZERO; slots.clear(); rules.clear(); seed();
            return Outcome.ok(200, Map.of());
        }
        return Outcome.error(404, "resource_not_found", "No such hook.");
    }

    // ------------------------------------------------------------------------------------------------------- transport

    static final ThreadLocal<String> MDC = new ThreadLocal<>();
    static final Deque<Long> recent = new ArrayDeque<>();

    static synchronized boolean tooMany() {
        long t = System.nanoTime();
        while (!recent.isEmpty() && recent.peekFirst() < t - 1_000_000_000L) recent.pollFirst();
        if (recent.size() >= RATE) return true;
        recent.addLast(t);
        return false;
    }

    static void pause(long millis) {
        try { Thread.sleep(millis); } catch (InterruptedException e) { Thread.currentThread().interrupt(); }
    }

    static List<String> segments(String rawPath) {
        return Arrays.stream(rawPath.substring(1).split("/")).map(s -> URLDecoder.decode(s.replace("+", "%2B"), StandardCharsets.UTF_8)).toList();
    }

    static String freshId() { return "req_" + UUID.randomUUID().toString().replace("-", ""); }

    /** The client's, or a new one; null where the client's is not acceptable. */
    static String requestId(HttpExchange x) {
        Set<String> given = new LinkedHashSet<>(x.getRequestHeaders().getOrDefault("X-Request-ID", List.of()));
        if (given.isEmpty()) return m("mdc-leftover") && MDC.get() != null ? MDC.get() : freshId();
        String one = given.iterator().next();
        if (given.size() > 1 || !one.matches("[\\x21-\\x7e]{1,128}")) return null;
        if (m("mdc-leftover")) MDC.set(one);
        return one;
    }

    static void handle(HttpExchange x) throws IOException {
        String accepted = requestId(x), id = accepted == null ? freshId() : accepted;
        Outcome o;
        try {
            byte[] body = x.getRequestBody().readNBytes(MAX_BODY + 1);
            if (body.length > MAX_BODY) x.getRequestBody().transferTo(OutputStream.nullOutputStream());   // or the client never sees the 413
            boolean api = !x.getRequestURI().getRawPath().startsWith("/ops/");
            if (api && JITTER[JITTER.length - 1] > 0) pause(ThreadLocalRandom.current().nextInt(JITTER[0], JITTER[JITTER.length - 1] + 1));
            if (api && RATE > 0 && tooMany()) o = new Outcome(429, null, "rate_limited", "Too many requests.", Map.of("Retry-After", "1"));
            else if (accepted == null) o = Outcome.error(400, "invalid_request_id", "X-Request-ID must be one value of 1 to 128 visible ASCII characters.");
            else if (body.length > MAX_BODY) o = Outcome.error(413, "payload_too_large", "The body is too large.");
            else o = route(new Call(x, x.getRequestMethod(), segments(x.getRequestURI().getRawPath()), body, id));
        } catch (Problem p) {
            o = p.outcome;
        } catch (Throwable t) {
            t.printStackTrace();
            o = Outcome.error(500, "internal", "Internal error.");
        }
        send(x, id, o);
    }

    static void send(HttpExchange x, String id, Outcome o) throws IOException {
        Map<String, Object> answer = new LinkedHashMap<>();
        if (o.code() == null) { answer.put("request_id", id); answer.put("data", o.data()); }
        else answer.put("error", Map.of("code", o.code(), "message", new String(o.message().getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)));
        String text = JSON.writeValueAsString(answer);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        x.getResponseHeaders().set("Content-Type", "application/json;charset=utf-8");
        x.getResponseHeaders().set("X-Request-ID", id);
        o.headers().forEach(x.getResponseHeaders()::set);
        if (x.getRequestMethod().equals("HEAD")) x.sendResponseHeaders(o.status(), -1);
        else if (m("content-length-chars")) {
            x.sendResponseHeaders(o.status(), text.length());
            x.getResponseBody().write(bytes, 0, text.length());
        } else {
            x.sendResponseHeaders(o.status(), bytes.length);
            x.getResponseBody().write(bytes);
        }
        x.close();
    }

    public static void main(String[] args) throws IOException {
        System.setProperty("sun.net.httpserver.nodelay", "true");
        keys();
        seed();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(env("PORT", "7303"))), 128);
        server.createContext("/", Server::handle);
        server.setExecutor(Executors.newFixedThreadPool(24));
        server.start();
    }
}
