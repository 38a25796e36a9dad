"""Words to the token ids that a text tower was trained on: cleaned, cut and filled up as its training had it.

The vocabulary comes from the checkpoint's tokenizer.json; what is put around it is written down here, since that file
does not say how a SigLIP was trained: it has no lower-casing, and may add or leave out the closing token.
"""

import html
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.checkpoint_files import ANEW, OTHER, needs_extra
from catalog.errors import ModelError
from catalog.model_descriptions import Architecture, ModelDescription

TOKENIZER = "tokenizer.json"
# Curly quotes too: open_clip straightens them before it takes punctuation out.
_PUNCTUATION = str.maketrans("", "", string.punctuation + "\u02bc\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f")


def canonicalize(text: str) -> str:
    """Lower case, no punctuation (an underscore is a space), single spaces: as big_vision's SigLIP was trained.

    Source: open_clip's `clean: canonicalize`, HTML entities resolved first.
    """
    bare = html.unescape(html.unescape(text)).replace("_", " ").translate(_PUNCTUATION)
    return " ".join(bare.lower().split())


@dataclass(frozen=True)
class TokenRules:
    """What surrounds the words, by the tokens' names in the vocabulary."""

    opening: str  # "" for none
    closing: str  # kept when the words are cut
    filling: str  # after the closing one, up to the full length
    clean: Callable[[str], str]


RULES = {
    # Gemma's vocabulary. Its tokenizer.json keeps upper case, the model never saw any.
    Architecture.SIGLIP: TokenRules("", "<eos>", "<pad>", str.lower),
    # T5's vocabulary; big_vision filled up with 1, which is the closing token.
    Architecture.OPEN_CLIP_SIGLIP: TokenRules("", "</s>", "</s>", canonicalize),
    # Lower-casing is in its tokenizer.json. What comes after the closing token is never looked at.
    Architecture.CLIP: TokenRules("<|startoftext|>", "<|endoftext|>", "<|endoftext|>", str),
}


class Tokens:
    """One checkpoint's tokenizer."""

    def __init__(self, folder: Path, model: ModelDescription, vocabulary: int) -> None:
        """Read tokenizer.json in `folder`; `vocabulary` is how many tokens the network knows.

        Raises: ModelError when tokenizers isn't installed, or the file is missing, damaged or another model's.
        """
        with needs_extra(f"model {model.name}: reading words"):
            from tokenizers import Tokenizer
        self._path, self._rules, self._length = folder / TOKENIZER, RULES[model.architecture], model.text_length
        if not self._path.is_file():
            raise ModelError(f"{self._path}: not there; pull the model again: lookbook models pull {model.name}")
        try:
            self._tokenizer = Tokenizer.from_file(str(self._path))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{self._path}: can't be read as a tokenizer ({error}); {ANEW}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._vocabulary = vocabulary
        self._opening = [self._id(self._rules.opening)] if self._rules.opening else []
        self._closing, self._filling = self._id(self._rules.closing), self._id(self._rules.filling)

    def ids(self, texts: Sequence[str]) -> np.ndarray:
        """(n, text_length) int64; words past the length are cut, the closing token stays.

        Raises: ModelError when the tokenizer gives a token that the network doesn't know. (That its vocabulary is
        larger is no fault: T5's has a hundred tokens that no text gives.)
        """
        rows = []
        for text in texts:
            words = self._tokenizer.encode(self._rules.clean(text), add_special_tokens=False).ids
            cut = [*self._opening, *words][: self._length - 1]
            rows.append([*cut, self._closing, *[self._filling] * (self._length - 1 - len(cut))])
        ids = np.array(rows, np.int64).reshape(len(rows), self._length)
        if ids.size and ids.max() >= self._vocabulary:
            raise ModelError(f"{self._path}: gives token {ids.max()}, the network knows {self._vocabulary}; {OTHER}")
        return ids

    def _id(self, token: str) -> int:
        found = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelError(f"{self._path}: has no token {token!r}; {OTHER}")
        return int(found)
