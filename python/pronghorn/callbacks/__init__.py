"""Callbacks: what runs in Python between the epochs, or the steps, of a run."""

from pronghorn.callbacks.backup_and_restore import BackupAndRestore
from pronghorn.callbacks.callback import Callback
from pronghorn.callbacks.callback_list import CallbackList
from pronghorn.callbacks.csv_logger import CSVLogger
from pronghorn.callbacks.early_stopping import EarlyStopping
from pronghorn.callbacks.history import History
from pronghorn.callbacks.lambda_callback import LambdaCallback
from pronghorn.callbacks.learning_rate_scheduler import LearningRateScheduler
from pronghorn.callbacks.model_checkpoint import ModelCheckpoint
from pronghorn.callbacks.progbar_logger import ProgbarLogger
from pronghorn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from pronghorn.callbacks.remote_monitor import RemoteMonitor
from pronghorn.callbacks.swap_ema_weights import SwapEMAWeights
from pronghorn.callbacks.tensorboard import TensorBoard
from pronghorn.callbacks.terminate_on_nan import TerminateOnNaN

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
