"""What a user can get wrong and put right. The command line prints these without a traceback."""


class SpoofbenchError(Exception):
    """Something the user can fix: the message says what and where, ``hint`` what to do next."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UnknownName(SpoofbenchError):
    """A model, protocol, metric or other name that no plugin offers."""


class DisputedName(SpoofbenchError):
    """A name that two plugins offer, asked for without saying whose is meant."""


class BrokenPlugin(SpoofbenchError):
    """A plugin whose declaration points to code that cannot be imported or called."""


class InvalidProtocol(SpoofbenchError):
    """A protocol file that does not say what it must, or says what it may not."""


class InvalidSettings(SpoofbenchError):
    """A settings file or option that cannot be used."""


class CorpusNotFound(SpoofbenchError):
    """No folder is known for a corpus, or the folder is not that corpus."""


class IncompleteCorpus(SpoofbenchError):
    """A corpus of which parts are missing, so that no number may come of it."""


class InvalidKeys(SpoofbenchError):
    """A key file, or an ASV score file, with a line that cannot be used."""


class InvalidCondition(SpoofbenchError):
    """A condition that does not read as one, or that cannot be made of this audio."""


class InvalidAudio(SpoofbenchError):
    """A recording that cannot be decoded into finite samples."""


class InvalidScores(SpoofbenchError):
    """A score file that cannot be judged against its protocol."""


class InvalidCalibration(SpoofbenchError):
    """A calibration or fusion that cannot be fitted, or a file that holds none."""


class InvalidWeights(SpoofbenchError):
    """A checkpoint that is damaged, untrusted, or made for another model."""


class InvalidRecipe(SpoofbenchError):
    """A training recipe, or an attempt to train on what must not be trained on."""


class InvalidRun(SpoofbenchError):
    """A run folder that is damaged, or was made under other terms."""


class Stopped(SpoofbenchError):
    """A training that was told to stop by a signal; what was learned is kept.

    The exit code is 128 and the signal's number, as of a program that the signal ended.
    """

    def __init__(self, message: str, *, hint: str, number: int) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = 128 + number


class FailedTrials(SpoofbenchError):
    """Some trials could not be scored; the scores of the others are kept."""


class DownloadFailed(SpoofbenchError):
    """A file that could not be fetched, or arrived with another checksum."""


class StorageError(SpoofbenchError):
    """A folder that cannot be written, or a disk that is full."""


class MissingExtra(SpoofbenchError):
    """Something that only an extra of spoofbench brings, and that is not installed."""
