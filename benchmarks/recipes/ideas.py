"""The ideas under test: one field of :class:`Recipe` each, with the paper it comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to fine-tune the encoder; the defaults are the plain fine-tune that everything is held against.

    Attributes:
        epochs: passes over the training rows; more of them, with bias-corrected Adam, are what Mosbach et
            al., "On the Stability of Fine-tuning BERT", ICLR 2021, advise for small data.
        lr: peak rate of the encoder; head_lr that of the heads.
        dropout: inside the encoder.
        frozen: embeddings and so many of the lowest layers keep their pretrained weights; -1 for none.
        pooling: mean, cls, max, or attention (a learned query, Lin et al., ICLR 2017).
        layer_decay: each layer learns slower than the one above by this factor (Howard and Ruder,
            "Universal Language Model Fine-tuning", ACL 2018).
        reinitialised: so many top layers start afresh (Zhang et al., "Revisiting Few-sample BERT
            Fine-tuning", ICLR 2021).
        smoothing: share of a target's mass spread over the other labels (Szegedy et al., CVPR 2016).
        balance: power of the inverse frequency that weighs a label: 0 none, 0.5 root, 1 full.
        votes: targets are the mean of the independent annotations, not the settled label.
        rdrop: weight of the divergence between two passes (Liang et al., "R-Drop", NeurIPS 2021).
        adversarial: length of a step against the loss on the word embeddings (Miyato et al., ICLR 2017).
        average: exponential mean of the weights over the last third (Izmailov et al., "Averaging
            Weights Leads to Wider Optima", UAI 2018; a running mean instead of an equal one).
        topics_weight: weight of the topics' loss against the framing's.
        mlm: further passes of masked-language training on the training rows first (Gururangan et al.,
            "Don't Stop Pretraining", ACL 2020).
        contrastive: passes that first draw sentences of one label together (Khosla et al., "Supervised
            Contrastive Learning", NeurIPS 2020; the idea of SetFit, Tunstall et al., 2022).
        descriptions: heads start at the embedded descriptions of their labels.
        curriculum: rows that annotators disputed join after the first third (Bengio et al., ICML 2009).
        decay: of the weights (Loshchilov and Hutter, ICLR 2019).
        teachers: a student learns from out-of-fold probabilities of so many models, half and half with the
            labels (Hinton et al., 2015; Furlanello et al., "Born-Again Networks", ICML 2018).
        lexical: share of the logits that comes from n-grams trained on the same rows (a product of experts,
            Hinton, Neural Computation 2002).
    """

    epochs: int = 3
    lr: float = 2e-4
    head_lr: float = 1e-3
    batch: int = 32
    dropout: float = 0.1
    frozen: int = -1
    pooling: str = "mean"
    layer_decay: float = 1.0
    reinitialised: int = 0
    smoothing: float = 0.0
    balance: float = 0.5
    votes: bool = False
    rdrop: float = 0.0
    adversarial: float = 0.0
    average: bool = False
    topics_weight: float = 1.0
    mlm: int = 0
    contrastive: int = 0
    descriptions: bool = False
    curriculum: bool = False
    decay: float = 0.01
    teachers: int = 0
    lexical: float = 0.0
