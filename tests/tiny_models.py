"""Random language models of two layers, for tests of training, and what is compared of them."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from personae.simulator.local import LocalSimulator
from personae.training.new_model import learn_vocabulary, tokenizer_of
from personae.training.pretrain import VOCABULARY

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def byte_tokenizer(template=None):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    symbols = ["<s>", "</s>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bare = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(symbols)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>", "additional_special_tokens": ["<end>"]}
    made = PreTrainedTokenizerFast(tokenizer_object=bare, **special)
    made.chat_template = template
    return made


def worded(texts, plan):
    """The tokenizer of a model that `plan` would pretrain on documents that begin with `texts`."""
    with TemporaryDirectory() as folder:
        learn_vocabulary(texts, plan, Path(folder) / VOCABULARY)
        return tokenizer_of(Path(folder) / VOCABULARY, plan)


def tiny(family="llama", template=TEMPLATE):
    """A random language model of two layers, as a simulator."""
    import transformers

    config, model = {
        "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
        "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
        "gemma3": (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM),
        "gpt2": (transformers.GPT2Config, transformers.GPT2LMHeadModel),
    }[family]
    shape = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    if family != "gpt2":
        shape |= {"intermediate_size": 32, "num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 160}
    tokenizer = byte_tokenizer(template)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        made = model(config(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=1, **shape))
    with torch.no_grad():
        for weight in made.parameters():
            weight.mul_(3.0)  # a random model is nearly uniform, which would hide which tokens count
    return LocalSimulator.from_parts(made.eval(), tokenizer, f"tiny-{family}")


def nll(model, ids, start):
    """Negative log-likelihood of ids[start:], nats, one token after the other."""
    logp = model(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
    return -sum(logp[t - 1, ids[t]] for t in range(start, len(ids)))


def same(one, other):
    a, b = one.model.state_dict(), other.model.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
