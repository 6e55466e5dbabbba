package StrictJson;

# JSON by hand: numbers keep their text, booleans their kind, and a name given twice is refused. The usual modules make
# doubles of decimals, and take numbers and strings for one another.
use v5.36;
no warnings 'recursion';
use Math::BigFloat;
use Exporter 'import';
use Refusal;

our @EXPORT = qw(decode_json encode_json canonical number boolean kind to_bytes to_chars);

my $MAX_DEPTH = 120;
my $SPACE = qr/[ \t\r\n]*/;
my $NUMBER = qr/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![0-9.eE+\-\w])/;
my %ESCAPED = (n => "\n", t => "\t", r => "\r", b => "\b", f => "\f", '"' => '"', '\\' => '\\', '/' => '/');
my %ESCAPE = ("\n" => '\n', "\t" => '\t', "\r" => '\r', '"' => '\"', '\\' => '\\\\');

# ---------------------------------------------------------------------------------------------------------- values

{

    package Number;
    sub new ($class, $text) { return bless \$text, $class }
    sub text ($self) { return $$self }
}
{

    package Boolean;
    sub new ($class, $value) { return bless \$value, $class }
    sub is_true ($self) { return $$self }
}
my ($TRUE, $FALSE) = (Boolean->new(1), Boolean->new(0));

sub number ($text) { return Number->new($text) }
sub boolean ($value) { return $value ? $TRUE : $FALSE }

# The name of a value's JSON type.
sub kind ($value) {
    return 'null' if !defined $value;
    return 'string' if !ref $value;
    state $kinds = { Number => 'number', Boolean => 'boolean', ARRAY => 'array' };
    return $kinds->{ ref $value } // 'object';
}

# SQLite's blobs and HTTP's bodies are bytes, everything else here is characters.
sub to_bytes ($chars) {
    my $bytes = $chars;
    utf8::encode($bytes);
    return $bytes;
}

sub to_chars ($bytes) {
    my $chars = $bytes;
    utf8::decode($chars);
    return $chars;
}

# --------------------------------------------------------------------------------------------------------- reading

# The value of a body; what is no JSON in UTF-8 is refused.
sub decode_json ($bytes) {
    refuse('The body is empty.') if $bytes !~ /\S/;
    refuse('The body starts with a byte order mark.') if $bytes =~ /\A\xEF\xBB\xBF/;
    my $text = $bytes;
    my $is_utf8 = utf8::decode($text) && $text !~ /[\x{D800}-\x{DFFF}]|[^\x{0}-\x{10FFFF}]/;
    refuse('The body is not UTF-8.') if !$is_utf8 && $bytes =~ /[^\x00-\x7f]/;
    pos($text) = 0;
    my $value = _value(\$text, 0);
    $text =~ /\G$SPACE/gc;
    _malformed(\$text) if pos($text) < length $text;
    return $value;
}

sub _malformed ($text) {
    refuse('The body is not well-formed JSON, near character ' . (pos($$text) // 0) . '.');
}

sub _value ($text, $depth) {
    refuse('The body is nested too deeply.') if $depth > $MAX_DEPTH;
    $$text =~ /\G$SPACE/gc;
    return _object($text, $depth) if $$text =~ /\G\{$SPACE/gc;
    return _array($text, $depth) if $$text =~ /\G\[$SPACE/gc;
    return _string($text) if $$text =~ /\G"/gc;
    return number($1) if $$text =~ /\G($NUMBER)/gc;
    return $TRUE if $$text =~ /\Gtrue\b/gc;
    return $FALSE if $$text =~ /\Gfalse\b/gc;
    return undef if $$text =~ /\Gnull\b/gc;
    _malformed($text);
}

sub _object ($text, $depth) {
    my %object;
    return \%object if $$text =~ /\G\}/gc;
    while (1) {
        $$text =~ /\G$SPACE"/gc or _malformed($text);
        my $name = _string($text);
        $$text =~ /\G$SPACE:/gc or _malformed($text);
        my $value = _value($text, $depth + 1);
        refuse('A name occurs twice in one object.') if exists $object{$name};
        $object{$name} = $value;
        next if $$text =~ /\G$SPACE,/gc;
        return \%object if $$text =~ /\G$SPACE\}/gc;
        _malformed($text);
    }
}

sub _array ($text, $depth) {
    my @array;
    return \@array if $$text =~ /\G\]/gc;
    while (1) {
        push @array, _value($text, $depth + 1);
        next if $$text =~ /\G$SPACE,/gc;
        return \@array if $$text =~ /\G$SPACE\]/gc;
        _malformed($text);
    }
}

sub _string ($text) {
    my $string = '';
    while (1) {
        if ($$text =~ /\G([^"\\\x00-\x1f]+)/gc) {
            $string .= $1;
        }
        elsif ($$text =~ /\G"/gc) {
            return $string;
        }
        elsif ($$text =~ /\G\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/gc) {
            $string .= chr(0x10000 + ((hex($1) - 0xD800) << 10) + hex($2) - 0xDC00);
        }
        elsif ($$text =~ /\G\\u([0-9a-fA-F]{4})/gc) {
            my $code = hex $1;
            refuse('A lone surrogate is no character.') if $code >= 0xD800 && $code <= 0xDFFF;
            $string .= chr $code;
        }
        elsif ($$text =~ /\G\\(["\\\/bfnrt])/gc) {
            $string .= $ESCAPED{$1};
        }
        else {
            _malformed($text);
        }
    }
}

# --------------------------------------------------------------------------------------------------------- writing

sub _quoted ($string) {
    $string =~ s/([\x00-\x1f"\\\x7f])/$ESCAPE{$1} \/\/ sprintf('\u%04x', ord $1)/ge;
    return "\"$string\"";
}

# Characters, not bytes; numbers as they were given, or as $number writes them.
sub encode_json ($value, $number = sub ($given) { $given->text }) {
    my $kind = kind($value);
    return 'null' if $kind eq 'null';
    return _quoted($value) if $kind eq 'string';
    return $number->($value) if $kind eq 'number';
    return $value->is_true ? 'true' : 'false' if $kind eq 'boolean';
    return '[' . join(',', map { encode_json($_, $number) } @$value) . ']' if $kind eq 'array';
    return '{' . join(',', map { _quoted($_) . ':' . encode_json($value->{$_}, $number) } sort keys %$value) . '}';
}

# Equal JSON values have equal texts.
sub canonical ($value) {
    return encode_json($value, \&_plain_number);
}

sub _plain_number ($given) {
    my $text = $given->text;
    return "x$text" if $text =~ /e[+-]?0*\d{4,}/i;    # too far out to be written down
    return Math::BigFloat->new($text)->bnorm->bsstr;
}

1;
