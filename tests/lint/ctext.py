"""C as tokens: what is code, what is comment, what is text. No parser: declarations and function bodies by their brackets.

Knows the shape of C11 as this house writes it; refuses to know types, macros' meaning and conditional compilation.
"""
import re
from typing import NamedTuple

TOKEN = re.compile(r"""
    (?P<comment>/\*.*?\*/|//(?:\\\n|[^\n])*)
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>[uUL]?'(?:\\.|[^'\\\n])*')
  | (?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<mark>->|\.\.\.|(?!\\\n)[^\s\w])
""", re.X | re.S)


class Token(NamedTuple):
    kind: str
    text: str
    line: int


class Source:
    """One file: `code` are tokens without comments and directives, `directives` and `comments` are (line, text)."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.comments, self.directives, self.code, self.macros = [], [], [], []
        directive = None  # the tokens of the directive being read
        end = 0
        line = 1
        for match in TOKEN.finditer(text):
            between = text[end:match.start()]
            if directive is not None and "\n" in between.replace("\\\n", ""):
                self._close(directive)
                directive = None
            line += between.count("\n")
            token = Token(match.lastgroup, match.group(), line)
            fresh = not text[:match.start()].rpartition("\n")[2].strip()
            line += token.text.count("\n")
            end = match.end()
            if token.kind == "comment":
                self.comments.append((token.line, token.text))
            elif directive is not None:
                directive.append(token)
            elif token.text == "#" and fresh:
                directive = []
                self.directives.append((token.line, self._whole(text, match.start())))
            elif token.text != "\\":
                self.code.append(token)
        if directive:
            self._close(directive)

    def _close(self, tokens):
        if tokens and tokens[0].text == "define":
            self.macros.extend(token for token in tokens[1:] if token.text != "\\")

    @staticmethod
    def _whole(text, start):
        end = re.compile(r"(?<!\\)\n|\Z").search(text, start).start()
        return re.sub(r"/\*.*?\*/", " ", text[start:end].replace("\\\n", " ")).strip()

    def includes(self):
        for line, text in self.directives:
            found = re.match(r'#\s*include\s*([<"])([^>"]+)[>"]', text)
            if found:
                yield line, found.group(1) == '"', found.group(2)

    def calls(self):
        """(line, name) of every word before '(' that is no member, also within macros."""
        for tokens in (self.code, self.macros):
            for i in range(len(tokens) - 1):
                if tokens[i].kind == "word" and tokens[i + 1].text == "(" and not (i and tokens[i - 1].text in (".", "->")):
                    yield tokens[i].line, tokens[i].text

    def words(self):
        for tokens in (self.code, self.macros):
            for token in tokens:
                if token.kind == "word":
                    yield token.line, token.text

    def _matching(self, i):
        depth = 0
        for k in range(i, len(self.code)):
            depth += {"{": 1, "}": -1}.get(self.code[k].text, 0)
            if depth == 0:
                return k
        return len(self.code) - 1

    def top(self):
        """Top-level declarations: (tokens with every {…} as one token 'braces', first index and last index of a body or None)."""
        code, i, statement = self.code, 0, []
        while i < len(code):
            token = code[i]
            if token.text == "{":
                close = self._matching(i)
                if statement and statement[-1].text == ")" and not any(t.text == "=" for t in statement):
                    yield statement, (i, close)
                    statement = []
                else:
                    statement.append(Token("braces", "{}", token.line))
                i = close + 1
            elif token.text == ";":
                yield statement, None
                statement = []
                i += 1
            else:
                statement.append(token)
                i += 1
        if statement:
            yield statement, None

    def functions(self):
        """(name, first line, last line, body tokens)."""
        for statement, body in self.top():
            if body:
                name = next((statement[k].text for k in range(len(statement) - 1)
                             if statement[k].kind == "word" and statement[k + 1].text == "(" and statement[k].text != "__attribute__"), "?")
                yield name, statement[0].line, self.code[body[1]].line, self.code[body[0] + 1:body[1]]

    def mutable(self):
        """(line, name) of variables with static storage that can change: of file scope, and `static` ones in functions."""
        for statement, body in self.top():
            if not body:
                yield from _mutable(statement)
        for _, _, _, body in self.functions():
            i = 0
            while i < len(body):
                if body[i].text == "static":
                    end, depth = i, 0
                    while end < len(body) and not (body[end].text == ";" and depth == 0):
                        depth += {"{": 1, "}": -1}.get(body[end].text, 0)
                        end += 1
                    yield from _mutable(body[i:end])
                    i = end
                i += 1


def _plain(tokens):
    """Without attributes, and up to the initializer."""
    out, i = [], 0
    while i < len(tokens):
        if tokens[i].text in ("__attribute__", "_Alignas"):
            depth, i = 0, i + 1
            while i < len(tokens):
                depth += {"(": 1, ")": -1}.get(tokens[i].text, 0)
                i += 1
                if depth == 0:
                    break
            continue
        if tokens[i].text == "=":
            break
        out.append(tokens[i])
        i += 1
    return out


def _mutable(statement):
    tokens = _plain(statement)
    texts = [token.text for token in tokens]
    if not tokens or texts[0] in ("typedef", "extern", "_Static_assert", "static_assert"):
        return
    while "[" in texts:  # sizes are no names
        start = texts.index("[")
        depth = 0
        for end in range(start, len(texts)):
            depth += {"[": 1, "]": -1}.get(texts[end], 0)
            if depth == 0:
                break
        texts = texts[:start] + texts[end + 1:]
    pointer = "(" in texts and texts[texts.index("(") + 1:][:1] == ["*"]
    if "(" in texts and not pointer:
        return  # a prototype, or a macro that stands for one
    if "(" in texts:
        texts = texts[:next(i for i in range(texts.index("("), len(texts)) if texts[i] == ")")]
    body = texts.index("{}") if "{}" in texts else -1
    names = [t for t in texts[body + 1:] if re.match(r"[A-Za-z_]\w*$", t) and t not in QUALIFIERS]
    if body >= 0 and not names:
        return  # a definition of a type
    if body < 0 and len(names) >= 1 and texts[0] in ("struct", "union", "enum") and len(names) == 1:
        return  # a declaration of a type
    if body < 0 and len(names) < 2 and not any(t in BASIC for t in texts):
        return
    if not names:
        return
    stars = [i for i, t in enumerate(texts) if t == "*"]
    constant = "const" in texts[stars[-1]:] if stars else "const" in texts
    if not constant:
        yield tokens[0].line, names[-1]


BASIC = {"void", "int", "char", "bool", "long", "short", "unsigned", "double", "float", "_Bool"}
QUALIFIERS = {"static", "const", "volatile", "struct", "union", "enum", "unsigned", "signed", "long", "short", "int", "char",
              "double", "float", "void", "bool", "_Bool", "_Thread_local", "_Atomic", "restrict", "inline"}
