"""Pictures of models: the graph of the layers, its layout, and how it is drawn."""

from pronghorn.utils.model_plot.plot_model import plot_model

__all__ = ["plot_model"]
