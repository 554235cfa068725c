"""Who applies: persons and organisations with invented names, addresses and identifiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tongban.domain.party.events import IdentifierKind, PartyKind
from tongban.simulate.identity_numbers import citizen_id, credit_code, is_man, passport, residence_permit
from tongban.simulate.randomness import seeded

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁"
    "潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石"
)
_DOUBLE_SURNAMES = ("欧阳", "上官", "司马", "诸葛", "司徒")
_MENS = "伟强磊军洋勇杰涛超明刚平辉鹏华飞鑫波斌宇浩凯健俊帆帅旭宁龙林欢佳阳建栋志文德海国东昊天泽晨轩博"
_WOMENS = "芳娜敏静丽艳娟霞秀燕玲桂莹雪琳晶妍茜秋珊莎黛青倩婷宁蓓纨苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰"
_FOREIGN_FIRST = ("Anna", "Erik", "Maria", "Luca", "Ines", "Jonas", "Aiko", "Nadia", "Tomas", "Priya", "Samuel", "Elif")
_FOREIGN_LAST = ("Eriksson", "Moreau", "Tanaka", "Rossi", "Novak", "Haddad", "Okafor", "Silva", "Lindqvist", "Kaya")
_BRANDS = "云禾晴川拾光听雨知味朴石南枝北辰青梧白榆沐风星野远岫长汀松间竹里望舒锦书"
_TRADES = (
    *("餐饮管理", "食品", "酒业", "贸易", "建筑工程", "信息科技"),
    *("化工", "物流", "美容", "咖啡", "文化传播", "医疗器械"),
)
_DISTRICTS = (
    *("黄浦", "徐汇", "长宁", "静安", "普陀", "虹口", "杨浦"),
    *("闵行", "宝山", "嘉定", "浦东新", "松江", "青浦", "奉贤"),
)
_ROADS = ("样例东", "样例西", "拟云", "虚舟", "无何", "乌有", "子虚", "稽山北", "听潮", "照影", "半闲", "若木")
_STREETS_END = 900

_FOREIGNERS = 0.03
_OTHER_REGIONS = 0.05
_DOUBLE_SURNAME = 0.01
_SHORT_GIVEN_NAME = 0.2


@dataclass(frozen=True, slots=True)
class Applicant:
    """One party as it will be registered, and what its forms say of it."""

    kind: PartyKind
    identifier_kind: IdentifierKind
    identifier: str
    name: str
    address: str
    email: str


def applicant(seed: int, kind: PartyKind, index: int) -> Applicant:
    """The `index`-th person or organisation of this seed; different identifiers for different ones."""
    return organisation(seed, index) if kind is PartyKind.ORGANISATION else person(seed, index)


def person(seed: int, index: int) -> Applicant:
    """A citizen; at times a resident of Hong Kong, Macao or Taiwan, or a foreigner."""
    random = seeded(seed, "person", index)
    drawn = random.random()
    if drawn < _FOREIGNERS:
        kind, number = IdentifierKind.PASSPORT, passport(seed, index)
        name = f"{random.choice(_FOREIGN_FIRST)} {random.choice(_FOREIGN_LAST)}"
    else:
        if drawn < _FOREIGNERS + _OTHER_REGIONS:
            kind, number = IdentifierKind.RESIDENCE_PERMIT, residence_permit(seed, index)
        else:
            kind, number = IdentifierKind.CITIZEN_ID, citizen_id(seed, index)
        name = _chinese_name(random, _MENS if is_man(number) else _WOMENS)
    flat = f"{random.randint(1, 80)}号{random.randint(1, 18) * 100 + random.randint(1, 4)}室"
    return Applicant(
        kind=PartyKind.PERSON,
        identifier_kind=kind,
        identifier=number,
        name=name,
        address=f"{_street(random)}{flat}",
        email=f"p{seed}-{index}@example.com",
    )


def organisation(seed: int, index: int) -> Applicant:
    """A small enterprise."""
    random = seeded(seed, "organisation", index)
    brand = "".join(random.sample(_BRANDS, random.choice((2, 3))))
    return Applicant(
        kind=PartyKind.ORGANISATION,
        identifier_kind=IdentifierKind.USCC,
        identifier=credit_code(seed, index),
        name=f"上海{brand}{random.choice(_TRADES)}有限公司",
        address=f"{_street(random)}{random.randint(1, 20)}楼",
        email=f"o{seed}-{index}@example.com",
    )


def first_of_all(seed: int) -> Applicant:
    """The organisation that is registered first: the id it is given says when the simulation of this seed began."""
    return Applicant(
        kind=PartyKind.ORGANISATION,
        identifier_kind=IdentifierKind.USCC,
        identifier=credit_code(seed, -1),
        name=f"上海模拟办事有限公司({seed})",
        address="上海市黄浦区样例东路1号",
        email=f"o{seed}@example.com",
    )


def _chinese_name(random: Random, given: Sequence[str]) -> str:
    surname = random.choice(_DOUBLE_SURNAMES) if random.random() < _DOUBLE_SURNAME else random.choice(_SURNAMES)
    return surname + "".join(random.sample(given, 1 if random.random() < _SHORT_GIVEN_NAME else 2))


def _street(random: Random) -> str:
    number = random.randint(1, _STREETS_END)
    return f"上海市{random.choice(_DISTRICTS)}区{random.choice(_ROADS)}路{number}弄"
